/**
 * In a member's container, whose processes it sees: bash and PostgreSQL's own programs. $1: the data directory.
 *
 *   try            begins a login and a commit that waits for no standby, where none is under way; answers as look
 *   look           answer: `PROCESS LOGIN COMMIT`. running or gone; yes, no, or - where none has ended since the last
 *                  answer; runs (its session stands), done, or -
 *   kill           SIGKILL to the postmaster and its children, which live on where it was stopped. Answer: killed, or none
 *
 * Nothing here may block: what PostgreSQL is asked runs in the background, and ends with the shell at the latest. Its own
 * standard error stays open: with it redirected, the shell was seen to end at once (containerd 1.4).
 */
export const HOST_SCRIPT = `
data=$1 pid= login= commit= mark=/tmp/pgherd-host.$$
export PGUSER=postgres PGDATABASE=postgres PGCONNECT_TIMEOUT=2 PGOPTIONS='-c synchronous_commit=local'
trap 'kill $login $commit 2>/dev/null; rm -f "$mark"' EXIT
trap 'exit 0' HUP INT TERM PIPE
running() {
  local words
  { read -r pid <"$data/postmaster.pid"; } && [[ $pid =~ ^[0-9]+$ ]] || return
  mapfile -d '' -t words <"/proc/$pid/cmdline" || return
  [[ "\${words[*]}" == *"$data"* ]]
}
# A file that a crash left behind may name another process by now: only a server of this directory is struck.
strike() {
  running || return
  local file line fields found=("$pid")
  for file in /proc/[0-9]*/stat; do
    read -r line <"$file" || continue
    fields=(\${line##*) })
    [ "\${fields[1]}" != "$pid" ] || found+=("\${file//[!0-9]/}")
  done
  kill -KILL "\${found[@]}"
  return 0
}
try() {
  if [ -z "$login" ]; then
    timeout -s KILL 1.5 pg_isready -q -t 1 >/dev/null & login=$!
  fi
  if [ -z "$commit" ]; then
    timeout 60 psql -XAtq -c 'SELECT 1' -c "SELECT pg_logical_emit_message(true, 'pgherd', 'canary')" >"$mark" & commit=$!
  fi
}
# Sets code once the program has ended.
ended() {
  [ -n "$1" ] && ! kill -0 "$1" || return
  wait "$1"
  code=$?
}
look() {
  local code process=gone in=- wrote=-
  if running; then process=running; fi
  # 0: it accepts connections, 1: it rejects them for now.
  if ended "$login"; then
    login=
    if [ "$code" -le 1 ]; then in=yes; else in=no; fi
  fi
  # 2: there was no session, or it broke off, which says nothing of the commit.
  if ended "$commit"; then
    commit=
    if [ "$code" -ne 2 ]; then wrote=done; fi
  elif [ -n "$commit" ] && [ -s "$mark" ]; then
    wrote=runs
  fi
  echo "$process $in $wrote"
}
while read -r word; do
  case $word in
  try) try; look ;;
  look) look ;;
  kill) if strike; then echo killed; else echo none; fi ;;
  *) echo hello ;;
  esac 2>/dev/null
done
`;

/** What an answer to `look` says; undefined: nothing that was asked. */
export interface HostLook {
  process: 'running' | 'gone';
  /** Whether PostgreSQL answered a newcomer. */
  login: boolean | undefined;
  commit: 'runs' | 'done' | undefined;
}

export function hostLookOf(line: string): HostLook | undefined {
  const [, process, login, commit] = /^(running|gone) (yes|no|-) (runs|done|-)$/.exec(line) ?? [];
  if (process === undefined) return undefined;
  return {
    process: process === 'running' ? 'running' : 'gone',
    login: login === '-' ? undefined : login === 'yes',
    commit: commit === 'runs' || commit === 'done' ? commit : undefined,
  };
}
