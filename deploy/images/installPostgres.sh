#!/bin/sh
# Run while the image of PostgreSQL is built: installs MAJOR (of PGDG's packages if PGDG=yes) and what belongs to it.
set -eu
: "${MAJOR:?}" "${PGDG:?}" "${LOCALES:?}" "${POSTGRES_UID:?}" "${POSTGRES_GID:?}"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
# Package archives of the machine that builds, for a base that names none.
[ ! -e /build/archives/apt.conf ] || export APT_CONFIG=/build/archives/apt.conf

install() { apt-get install -q -y --no-install-recommends -o Acquire::Retries=3 "$@"; }

# Before the packages, or they choose other numbers.
groupadd --system --gid "$POSTGRES_GID" postgres
useradd --system --uid "$POSTGRES_UID" --gid postgres --home-dir /home/postgres --shell /bin/bash postgres
mkdir -p /home/postgres/pgdata /etc/postgresql-common /run/postgresql
chown -R postgres:postgres /home/postgres /run/postgresql

apt-get update -q
install ca-certificates locales tini
for locale in $LOCALES; do
  grep -E "^# *$locale( |\$)" /etc/locale.gen | sed 's/^# *//' >/tmp/locale
  [ -s /tmp/locale ] || { echo "no locale $locale in Debian's list" >&2; exit 1; }
  cat /tmp/locale >>/etc/locale.gen
done
rm -f /tmp/locale
locale-gen

# Debian's own package makes a cluster and starts it, unless told so beforehand.
echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
if [ "$PGDG" = yes ]; then
  install postgresql-common
  /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y
fi
install "postgresql-$MAJOR" patroni pgbackrest python3-psycopg2 openssh-server
# The repository host of a cluster has a key of its own.
rm -f /etc/ssh/ssh_host_*

# 3.0.2 and earlier lose acknowledged writes (docs/adr/0006): such an image must not come to be.
version=$(patroni --version | sed 's/.* //')
dpkg --compare-versions "$version" ge 3.0.3 || {
  echo "Patroni $version is refused: 3.0.3 or newer is needed, as in Debian 13" >&2
  exit 1
}
"/usr/lib/postgresql/$MAJOR/bin/postgres" --version

# Where Patroni and PostgreSQL write is mounted: the root file system may be read-only.
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log /var/lib/postgresql /etc/patroni
mkdir -p /etc/patroni
