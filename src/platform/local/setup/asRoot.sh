#!/bin/sh
# The part of the set-up that needs root: Debian's packages, with nothing else left changed (README.md).
#
#   asRoot.sh update   LOG LOCK_SECONDS              fetch the package lists
#   asRoot.sh download LOG LOCK_SECONDS PACKAGE...   fetch packages; may be interrupted at any time
#   asRoot.sh install  LOG LOCK_SECONDS PACKAGE...   install them; always runs to its end, and tidies up itself,
#                                                    so that the death of whoever started it leaves nothing behind
#   asRoot.sh finish   LOG LOCK_SECONDS              tidy up after an installation that was itself killed
# Exit: 0 done, 75 another set-up holds our lock for too long, else apt's own code.
set -eu
umask 022
action=$1 log=$2 lockSeconds=$3
shift 3

export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_SUSPEND=1 UCF_FORCE_CONFFOLD=1
# Tells our own policy-rc.d that it is us who install; everybody else meets the policy that there was before.
export PGHERD_SETUP=1

# There while an installation is under way, and after one that was killed. inspect.ts looks for it, too.
state=/var/lib/pgherd-setup
policy=/usr/sbin/policy-rc.d
clusterConf=/etc/postgresql-common/createcluster.conf
clusterDir=/etc/postgresql-common/createcluster.d
runitDir=/etc/runit/runsvdir/default
noCluster=$clusterDir/zzz-pgherd-setup.conf

say() { printf 'pgherd: %s\n' "$*" >>"$log"; }

apt() {
  # The lock's file descriptor must not live on in a process that a package starts.
  apt-get -q -y -o DPkg::Lock::Timeout="$lockSeconds" -o Dpkg::Use-Pty=0 -o APT::Color=0 \
    -o Acquire::Retries=3 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 "$@" \
    >>"$log" 2>&1 </dev/null 9>&-
}

# apt waits for dpkg's lock by itself, but not for those of its lists and archives.
aptWaiting() {
  end=$(($(date +%s) + lockSeconds))
  while :; do
    size=$(wc -c <"$log")
    code=0
    apt "$@" || code=$?
    [ "$code" -ne 0 ] || return 0
    tail -c "+$((size + 1))" "$log" | grep -q 'Could not get lock' || return "$code"
    [ "$(date +%s)" -lt "$end" ] || return "$code"
    sleep 2
  done
}

aptInstall() {
  aptWaiting install --no-install-recommends --no-remove --no-upgrade \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

# The links by which services are enabled: systemd's, sysv's and runit's.
enabledLinks() {
  find /etc/systemd/system /etc/systemd/user /etc/rc?.d "$runitDir" -type l ! -name '.*' \
    2>/dev/null | sort
}

directories() { find /etc/systemd /etc/postgresql-common /etc/runit -type d 2>/dev/null | sort; }

holdServices() {
  mkdir -p "$state"
  # Written under another name first: a list cut short would make us disable the user's own services.
  directories >"$state/directories"
  enabledLinks >"$state/links.new"
  mv "$state/links.new" "$state/links"

  cat >"$policy.pgherd-new" <<POLICY
#!/bin/sh
# Temporary, written by pgherd setup: what it installs starts no service, anything else is not affected.
[ -z "\${PGHERD_SETUP:-}" ] || exit 101
[ ! -x $policy.before-pgherd ] || exec $policy.before-pgherd "\$@"
exit 0
POLICY
  chmod 755 "$policy.pgherd-new"
  if [ -e "$policy" ] || [ -L "$policy" ]; then mv -f "$policy" "$policy.before-pgherd"; fi
  mv -f "$policy.pgherd-new" "$policy"

  mkdir -p "$clusterDir"
  echo "create_main_cluster = false # temporary, written by pgherd setup" >"$noCluster"
  # A createcluster.conf that the user changed may not read the directory.
  if [ -e "$clusterConf" ] && ! grep -q "^ *include_dir.*createcluster.d" "$clusterConf"; then
    cp -a "$clusterConf" "$clusterConf.before-pgherd"
    cat "$noCluster" >>"$clusterConf"
  fi
}

# Leaves every service that was not enabled before disabled; runs before services may start again.
disableNew() {
  [ -e "$state/links" ] || return 0
  enabledLinks | comm -13 "$state/links" - | while read -r link; do
    case $link in
    /etc/rc?.d/S*)
      name=${link##*/S??}
      # Not `remove`: an upgrade of the package enables a service again that has no links at all.
      grep -q "/S[0-9][0-9]$name\$" "$state/links" || update-rc.d "$name" disable >>"$log" 2>&1 9>&-
      ;;
    /etc/rc?.d/*) ;; # K links enable nothing
    /etc/runit/*)
      # runit's own way: its package makes a link anew that is not there under either name.
      mv -f "$link" "${link%/*}/.${link##*/}"
      say "left disabled: $link"
      ;;
    *)
      # The link is what systemd and deb-systemd-helper go by, also where no systemctl is there to ask.
      rm -f "$link"
      parent=${link%/*}
      case $parent in
      *.wants | *.requires)
        grep -qxF "$parent" "$state/directories" || rmdir --ignore-fail-on-non-empty "$parent"
        ;;
      esac
      say "left disabled: $link"
      ;;
    esac
  done
  # Denied by our policy, Debian 13's runit has not enabled its own service yet, but would at the next occasion.
  if [ -d /etc/sv/default-syslog ] && ! grep -qxF "$runitDir" "$state/directories" &&
    [ ! -L "$runitDir/default-syslog" ] && [ ! -L "$runitDir/.default-syslog" ]; then
    ln -s /etc/sv/default-syslog "$runitDir/.default-syslog"
  fi
  [ ! -d /run/systemd/system ] || systemctl daemon-reload >>"$log" 2>&1 || :
}

# Puts back what holdServices changed. Works from what it finds, so it also clears up after a run that was killed.
releaseServices() {
  if [ -e "$policy.before-pgherd" ] || [ -L "$policy.before-pgherd" ]; then
    mv -f "$policy.before-pgherd" "$policy"
  elif grep -qs 'written by pgherd setup' "$policy"; then
    rm -f "$policy"
  fi
  rm -f "$policy.pgherd-new" "$noCluster"
  [ ! -e "$clusterConf.before-pgherd" ] || mv -f "$clusterConf.before-pgherd" "$clusterConf"
  for directory in "$clusterDir" "${clusterDir%/*}"; do
    [ ! -d "$directory" ] || [ ! -e "$state/directories" ] || grep -qxF "$directory" "$state/directories" ||
      rmdir --ignore-fail-on-non-empty "$directory"
  done
  rm -rf "$state"
}

tidyUp() {
  code=$?
  trap - EXIT
  disableNew || code=1
  releaseServices || code=1
  exit "$code"
}

finishKilled() {
  [ -d "$state" ] || return 0
  say 'finishing a set-up that was killed'
  # Under the policy that is still there, so that none starts its service. One that was cut short while it was
  # unpacked cannot be configured and has to come again, though its programs may be there already. A failure here
  # keeps the mark, and with it this duty.
  dpkg --configure -a --force-confdef --force-confold >>"$log" 2>&1 </dev/null 9>&- || :
  cutShort=$(dpkg-query -W -f '${db:Status-Eflag} ${binary:Package}\n' | sed -n 's/^reinstreq //p')
  # shellcheck disable=SC2086 # a list of names
  [ -z "$cutShort" ] || aptWaiting install --reinstall --no-install-recommends --no-remove $cutShort
  disableNew
  releaseServices
}

exec 9>/run/pgherd-setup.lock
flock -n 9 || {
  say 'waiting for another set-up'
  flock -w "$lockSeconds" 9 || exit 75
}

case $action in
update) aptWaiting update ;;
download) aptWaiting install --download-only --no-install-recommends --no-remove --no-upgrade "$@" ;;
install)
  # From here on a signal is answered after the packages are in and everything is put back.
  trap 'exit 143' INT TERM HUP
  trap '' PIPE
  finishKilled
  trap tidyUp EXIT
  holdServices
  aptInstall "$@"
  ;;
finish)
  trap 'exit 143' INT TERM HUP
  trap '' PIPE
  finishKilled
  ;;
*)
  echo "asRoot.sh: no such action: $action" >&2
  exit 64
  ;;
esac
