#!/usr/bin/env bash
# The set-up on bare machines: minimal chroots of Debian 12 and 13, in which a clone sets up everything itself.
# Takes minutes, needs root, mmdebstrap and a Debian mirror; not part of `npm test`.
#
#   test/setup/chroots.sh [bookworm|trixie ...]
#
# CHROOT_DIR (default: a temporary directory) keeps the bare chroots for the next run if it is set.
# Exit: 0 when every assertion held.
# shellcheck disable=SC2016 # the commands in single quotes are for the shell in the chroot
set -euo pipefail
root=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
releases=("$@")
((${#releases[@]} > 0)) || releases=(bookworm trixie)
[[ $(id -u) == 0 ]] || { echo 'chroots take root' >&2; exit 2; }
# Process and mount namespaces of its own, without exception: a package's init script stops servers by the name of
# their program, and would stop those of the whole machine if the chroot's /proc showed them.
if [[ $$ != 1 ]]; then
  exec unshare --pid --mount --propagation private --fork --kill-child --mount-proc bash "${BASH_SOURCE[0]}" "$@"
fi
[[ $(readlink /proc/self/ns/pid) == "$(readlink /proc/1/ns/pid)" && $(readlink /proc/1/exe) == *bash ]] ||
  { echo 'not isolated from the machine' >&2; exit 2; }
command -v mmdebstrap >/dev/null || { echo 'needed: apt-get install mmdebstrap' >&2; exit 2; }

base=${CHROOT_DIR:-$(mktemp -d /tmp/pgherd-chroots.XXXXXX)}
mkdir -p "$base"
base=$(cd -- "$base" && pwd -P)
mounted=()
failures=0

tidyUp() {
  local code=$? i
  trap - EXIT
  for ((i = ${#mounted[@]} - 1; i >= 0; i--)); do umount -l "${mounted[i]}" || true; done
  # Only ever ours: chroots that are still mounted would take the machine's /proc and /dev with them.
  if ! grep -q " $base/" /proc/mounts; then
    if [[ -z ${CHROOT_DIR:-} ]]; then rm -rf --one-file-system "$base"; else rm -rf --one-file-system "$base"/*.work; fi
  fi
  exit "$code"
}
trap tidyUp EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

check() {
  local what=$1
  shift
  if "$@" >"$base/check.out" 2>&1; then
    printf '  ok    %s\n' "$what"
  else
    printf '  FAIL  %s\n' "$what"
    sed 's/^/        /' "$base/check.out" | tail -n 25
    failures=$((failures + 1))
  fi
}

# A bare system, kept as a tar file when CHROOT_DIR is set. Debian 12's own Node is too old: it gets this machine's.
build() {
  local release=$1 packages=ca-certificates
  [[ $release == bookworm ]] || packages+=,nodejs,npm
  [[ -e $base/$release.tar ]] && return
  # Security updates too: they hold newer versions of the servers, as on any real machine. From this machine's mirror.
  local uris mirror security
  uris=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | sort -u)
  mirror=$(grep -v security <<<"$uris" | head -n 1)
  security=$(grep security <<<"$uris" | head -n 1)
  mmdebstrap --quiet --variant=minbase --include="$packages" "$release" "$base/$release.new.tar" \
    "deb $mirror $release main" \
    "deb $mirror $release-updates main" \
    "deb $security $release-security main"
  mv "$base/$release.new.tar" "$base/$release.tar"
}

enter() {
  local work=$1
  mount -t proc proc "$work/proc"
  mounted+=("$work/proc")
  mount --bind /dev "$work/dev"
  mounted+=("$work/dev")
  cp /etc/resolv.conf /etc/hosts "$work/etc/"
  # How this machine reaches mirrors and the registry is how the chroot has to.
  [[ ! -e /root/.npmrc ]] || cp /root/.npmrc "$work/root/"
  apt-config dump | grep -i '^Acquire::[a-z]*::\(Proxy\|CaInfo\)' >"$work/etc/apt/apt.conf.d/99machine" || true
  cp -a /etc/ssl/certs/. "$work/etc/ssl/certs/"
  cp -a /usr/local/share/ca-certificates "$work/usr/local/share/" 2>/dev/null || true
}

copyNode() {
  local work=$1 node
  node=$(readlink -f "$(command -v node)")
  [[ $node != "$root"/* ]] || node=/usr/bin/node
  install -D "$node" "$work/usr/bin/node"
  mkdir -p "$work/usr/lib/node_modules"
  cp -a "$(dirname "$(dirname "$(dirname "$(readlink -f /usr/bin/npm)")")")/npm" "$work/usr/lib/node_modules/"
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$work/usr/bin/npm"
}

# What may not change: everything that enables a service, and what an installation is steered by.
surroundings() {
  local work=$1
  (
    cd "$work"
    find etc/systemd etc/rc?.d etc/runit/runsvdir/default -type l ! -path '*/rc?.d/K*' ! -name '.*' 2>/dev/null || true
    find usr/sbin -name 'policy-rc.d*' -exec ls -l --time-style=full-iso {} +
    find etc/postgresql etc/postgresql-common/createcluster.d usr/sbin/policy-rc.d.before-pgherd var/lib/pgherd-setup \
      etc/postgresql-common/createcluster.conf.before-pgherd 2>/dev/null | grep -v '^etc/postgresql$' || true
  ) | sort
}

in_() {
  local work=$1
  shift
  chroot "$work" /usr/bin/env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb \
    ${NODE_EXTRA_CA_CERTS:+NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt} ${https_proxy:+https_proxy="$https_proxy"} ${http_proxy:+http_proxy="$http_proxy"} "$@"
}

asUser() {
  local work=$1
  shift
  chroot --userspec=1000:1000 "$work" /usr/bin/env -i HOME=/home/someone \
    PATH=/usr/local/bin:/usr/bin:/bin TERM=dumb "$@"
}

SETUP='cd /pgherd && PATH=/pgherd/node_modules/.bin:$PATH exec node scripts/setup.ts'

tryRelease() {
  local release=$1 work=$base/$1.work
  printf '%s\n' "$release: building a bare system"
  build "$release"
  rm -rf "$work"
  mkdir -p "$work"
  tar -C "$work" -xpf "$base/$release.tar"
  enter "$work"
  [[ $release != bookworm ]] || copyNode "$work"
  mkdir "$work/pgherd"
  git -C "$root" ls-files -z --cached --others --exclude-standard |
    (cd "$root" && xargs -0 -I{} sh -c '[ ! -e "$1" ] || printf "%s\0" "$1"' sh {}) |
    tar -C "$root" --null -T - -cf - | tar -C "$work/pgherd" --no-same-owner -xf -
  mkdir -p "$work/home/someone"
  chown -R 1000:1000 "$work/home/someone"
  echo 'someone:x:1000:1000::/home/someone:/bin/sh' >>"$work/etc/passwd"

  # A policy of the user's own must survive, be it a file like here or none like in the other release.
  if [[ $release == trixie ]]; then
    printf '#!/bin/sh\nexit 104\n' >"$work/usr/sbin/policy-rc.d"
    chmod 750 "$work/usr/sbin/policy-rc.d"
    touch -d '2020-01-02 03:04:05' "$work/usr/sbin/policy-rc.d"
  else
    rm -f "$work/usr/sbin/policy-rc.d"
  fi
  surroundings "$work" >"$base/before"

  check 'npm packages come by themselves' in_ "$work" bash /pgherd/scripts/bootstrap.sh prod
  check 'without root: refused, with one line to run' refusedFor "$work"
  check 'set-up as root' in_ "$work" sh -c "$SETUP 16 >/tmp/report.json"
  check 'every tool is there, and says its version' reportIsWhole "$work"
  surroundings "$work" >"$base/after"
  check 'nothing is enabled, no cluster, no policy left' diff "$base/before" "$base/after"
  check 'nothing runs' nothingRuns "$work"
  check 'dpkg is content' in_ "$work" sh -c 'test -z "$(dpkg --audit)" && apt-get check'
  check 'patroni and patronictl run as postgres' patroniRuns "$work"
  check 'a second set-up changes nothing and is quick' secondIsQuick "$work"
  check 'services stay disabled when packages are upgraded' upgradeKeepsDisabled "$work"
  check "the user's own service is not touched" ownServiceSurvives "$work"
  check 'a set-up killed half-way is finished by the next' killedHalfWay "$work"
  check 'interrupted, it ends what it began and leaves nothing behind' interrupted "$work"
  check 'a failing installation says why and leaves nothing behind' failing "$work"
  check 'someone else holding the package lock is waited for' waitsForLock "$work"
  check "Patroni's other source: the release's signed index" privateApt "$work"
  check 'an ordinary user gets by when all is installed' userIsFine "$work"

  for ((i = ${#mounted[@]} - 1; i >= 0; i--)); do umount -l "${mounted[i]}"; done
  mounted=()
}

refusedFor() {
  local work=$1 code=0
  asUser "$work" sh -c "$SETUP" >"$base/user.out" 2>&1 || code=$?
  cat "$base/user.out"
  [[ $code == 2 ]] && grep -q 'to do: sudo /pgherd/pgherd setup' "$base/user.out"
}

reportIsWhole() {
  in_ "$1" node -e '
    const r = JSON.parse(require("fs").readFileSync("/tmp/report.json"));
    console.log(JSON.stringify(r, null, 1));
    const versions = ["postgres", "etcd", "pgbouncer", "haproxy", "tini", "flock", "openssl", "patroni"].map(n => r.tools[n].version);
    const programs = Object.values(r.tools.runit);
    const whole = r.missing.length === 0 && r.wantedMissing && programs.length === 5 && programs.every(Boolean) &&
      versions.every(v => /^\d+\.\d+/.test(v)) && r.tools.patroni.version.startsWith("4.");
    process.exit(whole ? 0 : 1);'
}

nothingRuns() {
  local pid link
  for pid in /proc/[0-9]*; do
    link=$(readlink "$pid/root" 2>/dev/null) || continue
    [[ $link != "$1" ]] || { tr '\0' ' ' <"$pid/cmdline"; return 1; }
  done
}

patroniRuns() {
  in_ "$1" sh -c '
    cd / && p=$(echo /var/lib/pgherd/tools/patroni-*) && export PYTHONPATH=$p/usr/lib/python3/dist-packages PYTHONNOUSERSITE=1
    setpriv --reuid=postgres --regid=postgres --clear-groups /usr/bin/python3 -m patroni --version &&
    setpriv --reuid=postgres --regid=postgres --clear-groups /usr/bin/python3 "$p/usr/bin/patronictl" version'
}

secondIsQuick() {
  local work=$1
  in_ "$work" sh -c 'touch /tmp/mark; sleep 1'
  # Its own work, not the clock's time: other programs of this machine may be busy.
  TIMEFORMAT='%U %S'
  { time in_ "$work" sh -c "$SETUP 16 >/tmp/second.json"; } 2>"$base/second.time" || return 1
  cat "$base/second.time"
  awk 'END { exit !($1 + $2 < 1) }' "$base/second.time" || return 1
  in_ "$work" sh -c 'cat /tmp/second.json; cmp /tmp/report.json /tmp/second.json &&
    test -z "$(find /etc /usr /var/lib/dpkg /var/lib/pgherd -newer /tmp/mark -type f ! -name "inspected-*" ! -name "*.pyc")"'
}

upgradeKeepsDisabled() {
  local work=$1
  local code=0
  deny "$work"
  in_ "$work" env DEBIAN_FRONTEND=noninteractive apt-get install -y --reinstall \
    etcd-server haproxy pgbouncer runit postgresql-common || code=$?
  undeny "$work"
  ((code == 0)) || return 1
  # What any later installation makes runit do, without any policy of ours.
  in_ "$work" sh -c 'dpkg-trigger --by-package=bash /usr/bin && dpkg --configure -a' || return 1
  surroundings "$work" | diff "$base/before" -
}

# haproxy enabled by the user, then another package missing: it stays enabled, and nothing is upgraded.
ownServiceSurvives() {
  local work=$1
  in_ "$work" sh -c '
    set -e
    update-rc.d haproxy defaults && update-rc.d haproxy enable
    mkdir -p /etc/systemd/system/multi-user.target.wants
    ln -sf /lib/systemd/system/haproxy.service /etc/systemd/system/multi-user.target.wants/haproxy.service
    ls /etc/rc2.d/S*haproxy
    dpkg-query -W haproxy pgbouncer >/tmp/versions'
  purge "$work" etcd-server || return 1
  in_ "$work" sh -c "$SETUP 16 >/dev/null" || return 1
  in_ "$work" sh -c '
    ls -l /etc/systemd/system/multi-user.target.wants/ /etc/rc2.d
    test -L /etc/systemd/system/multi-user.target.wants/haproxy.service && ls /etc/rc2.d/S*haproxy &&
    test ! -e /etc/systemd/system/multi-user.target.wants/etcd.service && ! ls /etc/rc2.d/S*etcd 2>/dev/null &&
    dpkg-query -W haproxy pgbouncer | cmp - /tmp/versions' || return 1
  in_ "$work" sh -c '
    rm /etc/systemd/system/multi-user.target.wants/haproxy.service && update-rc.d haproxy disable &&
    rmdir --ignore-fail-on-non-empty /etc/systemd/system/multi-user.target.wants' || return 1
  surroundings "$work" | diff "$base/before" -
}

# Removes packages as if they had never been there, without stopping or starting any service on the way.
purge() {
  local work=$1 code=0
  shift
  deny "$work"
  in_ "$work" apt-get -q -y -o DPkg::Lock::Timeout=60 purge "$@" >"$base/purge.out" 2>&1 || code=$?
  undeny "$work"
  ((code == 0)) || cat "$base/purge.out"
  return "$code"
}

deny() {
  local policy=$1/usr/sbin/policy-rc.d
  [[ ! -e $policy ]] || mv "$policy" "$1/tmp/policy"
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
}

undeny() {
  rm -f "$1/usr/sbin/policy-rc.d"
  [[ ! -e $1/tmp/policy ]] || mv "$1/tmp/policy" "$1/usr/sbin/policy-rc.d"
}

# Makes each step of dpkg take so long that it can be caught in the middle.
slowDpkg() { echo 'post-invoke=/bin/sleep 3' >"$1/etc/dpkg/dpkg.cfg.d/slow"; }

waitUntil() {
  local end=$((SECONDS + 60))
  until "$@" || ((SECONDS > end)); do sleep 0.02; done
}

killedHalfWay() {
  local work=$1
  purge "$work" etcd-server || return 1
  slowDpkg "$work"
  # In its own session: both the set-up and what it started as root die, as in a power failure.
  in_ "$work" setsid sh -c "$SETUP 16 >/dev/null" &
  waitUntil test -e "$work/var/lib/pgherd-setup/links" -a -e "$work/usr/bin/etcd"
  killInside "$work"
  wait $! || true
  rm "$work/etc/dpkg/dpkg.cfg.d/slow"
  [[ -e $work/var/lib/pgherd-setup/links ]] || { echo 'it was done before it was killed'; return 1; }
  # The worst moment, whichever it was: cut short while being unpacked, with the program there already.
  sed -i '/^Package: etcd-server$/,/^$/s/^Status: .*/Status: install reinstreq half-installed/' \
    "$work/var/lib/dpkg/status"
  in_ "$work" dpkg --audit
  in_ "$work" sh -c "$SETUP 16 >/tmp/again.json" || return 1
  in_ "$work" sh -c 'dpkg --audit; test -z "$(dpkg --audit)"' || return 1
  surroundings "$work" | diff "$base/before" -
}

# Only what this script started: processes whose root is the chroot.
killInside() {
  local pid
  [[ $1 == "$base"/*.work ]] || return 1
  for pid in /proc/[0-9]*; do
    [[ $(readlink "$pid/root" 2>/dev/null) != "$1" ]] || kill -KILL "${pid#/proc/}" 2>/dev/null || true
  done
}

interrupted() {
  local work=$1 code=0
  purge "$work" etcd-server || return 1
  slowDpkg "$work"
  in_ "$work" sh -c "echo \$\$ >/tmp/pid; $SETUP 16" >"$base/interrupted.out" 2>&1 &
  waitUntil test -e "$work/var/lib/pgherd-setup/links"
  kill -TERM "$(<"$work/tmp/pid")"
  wait $! || code=$?
  rm "$work/etc/dpkg/dpkg.cfg.d/slow"
  cat "$base/interrupted.out"
  [[ $code == 1 ]] && grep -q "finishing Debian's installation" "$base/interrupted.out" || return 1
  in_ "$work" test -x /usr/bin/etcd || return 1
  surroundings "$work" | diff "$base/before" -
}

failing() {
  local work=$1 code=0
  purge "$work" tini || return 1
  echo 'pre-invoke=/bin/false' >"$work/etc/dpkg/dpkg.cfg.d/fail"
  in_ "$work" sh -c "$SETUP 16" >"$base/failing.out" 2>&1 || code=$?
  rm "$work/etc/dpkg/dpkg.cfg.d/fail"
  cat "$base/failing.out"
  [[ $code == 1 ]] && grep -q 'setup.log' "$base/failing.out" && grep -q 'error executing hook' "$base/failing.out" || return 1
  surroundings "$work" | diff "$base/before" -
}

waitsForLock() {
  local work=$1 code=0
  purge "$work" tini || return 1
  # dpkg's lock is one of fcntl, which flock(1) does not take.
  in_ "$work" /usr/bin/python3 -c '
import fcntl, os, time
with open("/var/lib/dpkg/lock-frontend", "w") as f:
    fcntl.lockf(f, fcntl.LOCK_EX)
    open("/tmp/locked", "w")
    while not os.path.exists("/tmp/release"):
        time.sleep(0.1)' &
  until [[ -e $work/tmp/locked ]]; do sleep 0.1; done
  local holder=$!
  in_ "$work" sh -c "$SETUP 16 >/dev/null" >"$base/lock.out" 2>&1 &
  local waiting=$!
  waitUntil grep -q 'holds the package lock' "$base/lock.out"
  touch "$work/tmp/release"
  wait "$holder" || true
  wait "$waiting" || code=$?
  cat "$base/lock.out"
  [[ $code == 0 ]] && grep -q 'holds the package lock' "$base/lock.out"
}

privateApt() {
  local work=$1
  cat >"$work/tmp/current.ts" <<'TS'
import { mkdtemp } from 'node:fs/promises';
import { debianMirrors } from '/pgherd/src/platform/local/setup/apt.ts';
import { fetchCurrent } from '/pgherd/src/platform/local/setup/patroni.ts';
const signal = AbortSignal.timeout(300_000);
const [mirror] = await debianMirrors(signal);
console.log(await fetchCurrent(mirror, await mkdtemp('/var/tmp/current-'), signal));
TS
  in_ "$work" sh -c '
    touch /tmp/mark2; sleep 1
    PATH=/pgherd/node_modules/.bin:$PATH node /tmp/current.ts && sha256sum /var/tmp/current-*/apt-*/patroni_*.deb &&
    test -z "$(find /etc/apt /var/lib/apt /var/cache/apt -newer /tmp/mark2 -type f)" && rm -rf /var/tmp/current-*'
}

userIsFine() {
  local work=$1
  asUser "$work" sh -c "$SETUP 16 >/dev/null" || return 1
  asUser "$work" sh -c 'test -d ~/.local/state/pgherd/tools/patroni-*'
}

for release in "${releases[@]}"; do tryRelease "$release"; done
if ((failures > 0)); then
  echo "$failures failed"
  exit 1
fi
echo 'all passed'
