/** So many connections have to arrive: while the old primary is among the ways still, one alone proves little. */
export const TRIED = 6;

/** What is run inside pods for a hold: bash and coreutils alone, of every Debian image. Each word gets one line back, also one that means nothing. */

/**
 * In a pooler's container. $1: a directory for its marks, $2: where its server is, $3: the server's port, $4: the pooler's
 * name among the processes: it has no pid file, which would outlive its container.
 *
 *   hold SECONDS   PAUSE (PgBouncer's SIGUSR1). Answer: held, or none where nobody could be told
 *   beat           answer: the number of connections to the server: 0 when all transactions have ended
 *   try            opens connections to the server, until the next try, to see where they lead
 *   go             RESUME (SIGUSR2), unless another shell holds as well: a mark says so
 *
 * The dead man's switch: RESUME comes in any case, when SECONDS have passed, when no word comes for 2 s, and when the
 * input ends. So nothing here may block: what connects does so in the background and is killed after a second.
 */
export const POOLER_SCRIPT = `
held= tried=
mark=$1/pgherd-hold.$$
# Of a dead shell that had our number.
rm -f "$mark"
resume() {
  local pooler=$held other
  held=
  rm -f "$mark"
  [ -n "$pooler" ] || return
  for other in "$1"/pgherd-hold.*; do
    if [ -e "$other" ] && kill -0 "\${other##*.}" 2>/dev/null; then return; fi
  done
  kill -USR2 "$pooler"
}
trap 'resume "$1"' EXIT
trap 'exit 0' HUP INT TERM PIPE
printf -v hex %04X "$3"
find_pooler() {
  local process name
  for process in /proc/[0-9]*; do
    read -r name 2>/dev/null <"$process/comm" || continue
    if [ "$name" = "$1" ]; then echo "\${process##*/}"; return; fi
  done
  false
}
connections() {
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | {
    n=0
    while read -r _ own peer state _; do
      if [[ $state == 01 && $peer == *:$hex && $own != *:$hex ]]; then n=$((n + 1)); fi
    done
    echo "$n"
  }
}
while :; do
  if [ -n "$held" ]; then
    ((SECONDS < end)) || exit 0
    read -r -t 2 word value || exit 0
  else
    read -r word value || exit 0
  fi
  case $word in
  hold)
    end=$((SECONDS + value))
    : >"$mark"
    if held=$(find_pooler "$4") && kill -USR1 "$held" 2>/dev/null; then echo held; else held=; rm -f "$mark"; echo none; fi ;;
  beat) connections ;;
  try)
    [ -z "$tried" ] || kill "$tried" 2>/dev/null
    timeout 1 bash -c 'for n in {1..${TRIED}}; do exec {fd}<>"/dev/tcp/$0/$1" || exit; done; sleep 1' \
      "$2" "$3" </dev/null >/dev/null 2>&1 &
    tried=$!
    echo tried ;;
  go) resume "$1"; echo gone ;;
  *) echo hello ;;
  esac
done
`;

/**
 * In a member's container. $1: PostgreSQL's port.
 *
 *   writable       answer: yes or no
 *   peers          answer: the addresses that have a connection to PostgreSQL, as the kernel writes them
 */
export const MEMBER_SCRIPT = `
printf -v hex %04X "$1"
while read -r word; do
  case $word in
  writable)
    writes=$(psql -XAtq -U postgres -d postgres -c 'SELECT NOT pg_is_in_recovery()' 2>/dev/null)
    if [ "$writes" = t ]; then echo yes; else echo no; fi ;;
  peers)
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | {
      while read -r _ own peer state _; do
        if [[ $state == 01 && $own == *:$hex ]]; then printf '%s ' "\${peer%:*}"; fi
      done
      echo
    } ;;
  *) echo hello ;;
  esac
done
`;

/** In a member's container. $1: the data directory. Answers the word it gets when PostgreSQL has ended. */
export const GONE_SCRIPT = `
read -r word || exit 0
while [ -e "$1/postmaster.pid" ]; do
  read -r -t 0.03 _
  [ $? -gt 128 ] || exit 0
done
echo "$word"
`;
