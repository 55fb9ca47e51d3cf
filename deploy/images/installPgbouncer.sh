#!/bin/sh
# Run while the image of PgBouncer is built.
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
# Package archives of the machine that builds, for a base that names none.
[ ! -e /build/archives/apt.conf ] || export APT_CONFIG=/build/archives/apt.conf
apt-get update -q
apt-get install -q -y --no-install-recommends -o Acquire::Retries=3 ca-certificates pgbouncer tini
pgbouncer --version
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log
