#!/usr/bin/env bash
# Installs this clone's npm packages when they are missing or not those of package-lock.json.
#
#   scripts/bootstrap.sh prod|dev     what pgherd itself needs, or tests and checks too
#
# Says on stderr what it does, nothing if there is nothing to do; stdout is never written. Packages are installed
# beside node_modules, then swapped in: an interruption leaves what was there, and a pgherd that runs at the
# same time finds its modules at any moment but one. Of two at once one installs, the other waits.
set -euo pipefail
level=$1
root=$(cd -- "${BASH_SOURCE[0]%/*}/.." && pwd -P)
cd "$root"
cache=$root/.cache
lockWait=900

say() { printf 'pgherd: %s\n' "$*" >&2; }
die() {
  say "$1"
  shift
  (($# == 0)) || printf '%s\n' "$@" >&2
  exit 1
}

isStamped() { cmp -s package-lock.json "node_modules/.pgherd-$level"; }

stamp() {
  cp package-lock.json node_modules/.pgherd-prod.new
  mv -f node_modules/.pgherd-prod.new node_modules/.pgherd-prod
  [[ $level != dev ]] || cp package-lock.json node_modules/.pgherd-dev
}

# Whether the packages below $1 are those of the lock file, whoever installed them. npm's exit code is no proof:
# it has been seen to leave out packages and report success.
isComplete() {
  node - "$1" "$level" <<'JS'
const { existsSync, readFileSync } = require('node:fs');
const [base, level] = process.argv.slice(2);
const packages = file => JSON.parse(readFileSync(file, 'utf8')).packages;
const wrong = why => {
  console.error(`package check: ${why}`);
  process.exit(1);
};
try {
  const have = packages(`${base}/node_modules/.package-lock.json`);
  const lock = packages('package-lock.json');
  for (const [path, want] of Object.entries(lock)) {
    if (path === '' || (level === 'prod' && want.dev)) continue;
    // Optional packages of other platforms are left out on purpose; Node itself is checked by its file.
    if (want.optional && !have[path] && path !== 'node_modules/node') continue;
    if (have[path]?.version !== want.version || !existsSync(`${base}/${path}`)) wrong(`${path} is missing`);
  }
  const unknown = Object.keys(have).filter(path => !lock[path] && !have[path].optional && !have[path].peer);
  if (unknown.length > 0) wrong(`not in package-lock.json: ${unknown}`);
  if (!existsSync(`${base}/node_modules/node/bin/node`)) wrong('the package node brought no program');
} catch (error) {
  wrong(error.message);
}
JS
}

# `npm install` would quietly go its own way where the two files disagree.
checkLockFile() {
  node -e '
    const [manifest, lock] = ["package.json", "package-lock.json"].map(f => JSON.parse(require("fs").readFileSync(f)));
    for (const kind of ["dependencies", "devDependencies", "optionalDependencies"]) {
      const text = p => JSON.stringify(Object.entries(p[kind] ?? {}).sort());
      if (text(manifest) !== text(lock.packages[""])) process.exit(1);
    }' || die 'package-lock.json does not belong to package.json: run npm install, and commit both'
}

npmArguments=(--no-audit --no-fund --no-progress --loglevel=error)
if [[ $level == prod ]]; then npmArguments+=(--omit=dev); else npmArguments+=(--include=dev); fi

isStamped && [[ -x node_modules/node/bin/node ]] && exit 0

for program in node npm; do
  command -v "$program" >/dev/null || die "Node.js and npm are needed; $program was not found. Run:" \
    '  sudo apt-get update && sudo apt-get install nodejs npm'
done

if ! mkdir -p "$cache" 2>/dev/null || [[ ! -w $root || ! -w $cache || (-e node_modules && ! -w node_modules) ]]; then
  isComplete . 2>/dev/null && exit 0
  option=
  [[ $level == dev ]] || option=' --omit=dev'
  die "npm packages are missing, and $(id -un) may not write to $root. Run:" \
    "  sudo npm install$option --prefix $(printf %q "$root")"
fi

exec {lock}>"$cache/bootstrap.lock"
if ! flock -n "$lock"; then
  say 'waiting for another pgherd, which installs the npm packages'
  flock -w "$lockWait" "$lock" || die "it still holds $cache/bootstrap.lock after $lockWait s"
fi
if isStamped && [[ -x node_modules/node/bin/node ]]; then exit 0; fi
if isComplete . 2>/dev/null; then
  stamp
  exit 0
fi

# A run that was killed could not clean up; we hold the lock, so nobody uses these.
rm -rf "$cache"/npm.* "$cache"/old.*
work=$cache/npm.$$
log=$cache/npm.log
npmPid=
: >"$log"

tidyUp() {
  local code=$?
  trap - EXIT
  if [[ -n $npmPid ]]; then
    # npm starts npm again for the package `node`: the whole group has to go, and be gone before its files are.
    kill -TERM -- "-$npmPid" 2>/dev/null || true
    for _ in {1..30}; do
      kill -0 -- "-$npmPid" 2>/dev/null || break
      sleep 0.1
    done
    kill -KILL -- "-$npmPid" 2>/dev/null || true
    wait "$npmPid" 2>/dev/null || true
  fi
  rm -rf "$work" "$cache/old.$$"
  exit "$code"
}
trap tidyUp EXIT
trap 'say interrupted; exit 130' INT
trap 'exit 143' TERM HUP

# Runs npm in a process group of its own, and tells every five seconds that it is still at it.
runNpm() {
  local code=0 since=$SECONDS
  set -m
  (cd "$work" && exec npm "$@") >>"$log" 2>&1 </dev/null {lock}>&- &
  npmPid=$!
  set +m
  while kill -0 "$npmPid" 2>/dev/null; do
    sleep 0.2 &
    wait $! || true
    if ((SECONDS - since >= 5)); then
      since=$SECONDS
      say "  … $SECONDS s, $(du -sm "$work" 2>/dev/null | cut -f1) MB"
    fi
  done
  wait "$npmPid" || code=$?
  npmPid=
  return "$code"
}

freshWork() {
  rm -rf "$work"
  mkdir -p "$work"
  cp package.json package-lock.json "$work"
  [[ ! -e .npmrc ]] || cp .npmrc "$work"
}

# Not `npm ci`: it refuses a lock file that lacks an optional package of some other platform, which is what npm
# writes when its registry has not got that one. What is in the lock file is installed as it says all the same.
install() {
  freshWork
  runNpm install "${npmArguments[@]}" "$@" && isComplete "$work" 2>>"$log"
}

# npm can die of a large installation in one go: fetch the packages twenty at a time first.
fillCache() {
  local specs
  mapfile -t specs < <(
    # shellcheck disable=SC2016 # JavaScript, not ours to expand
    node -p '
      const { packages } = JSON.parse(require("node:fs").readFileSync("package-lock.json", "utf8"));
      Object.entries(packages)
        .filter(([path, p]) => path !== "" && !(process.argv[1] === "prod" && p.dev))
        .map(([path, p]) => `${p.name ?? path.split("node_modules/").pop()}@${p.version}`)
        .join("\n")' "$level"
  )
  local i
  for ((i = 0; i < ${#specs[@]}; i += 20)); do
    runNpm cache add --loglevel=error "${specs[@]:i:20}" || true
  done
}

checkLockFile
say "installing npm packages into $root/node_modules"
if ! install; then
  say 'npm failed; once more'
  if ! install --maxsockets=3; then
    say 'npm failed again; once more in smaller steps'
    freshWork
    fillCache
    install --maxsockets=3 --prefer-offline || {
      tail -n 15 "$log" >&2
      die "npm could not install the packages; its output is in $log"
    }
  fi
fi

[[ ! -e node_modules ]] || mv node_modules "$cache/old.$$"
mv "$work/node_modules" node_modules
stamp
say "npm packages are ready (${SECONDS} s)"
