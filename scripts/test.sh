#!/usr/bin/env bash
# What `npm test` runs, on a bare clone too: sets up npm packages and servers, then checks and tests everything.
# Arguments go to vitest. Exit: 0 when all passed.
set -uo pipefail
cd -- "${BASH_SOURCE[0]%/*}/.." || exit 1
bash scripts/bootstrap.sh dev || exit
# Node 24 first, whatever the system's is.
export PATH=$PWD/node_modules/.bin:$PATH

projects=()
node scripts/setup.ts >/dev/null
case $? in
0) ;;
2)
  printf '%s\n' 'SKIPPED: the integration tests, because their servers are not installed (see above)' >&2
  projects=(--project unit)
  ;;
*) exit 1 ;;
esac

npm run --silent check
checked=$?
vitest run "${projects[@]}" "$@"
tested=$?

((checked == 0)) || printf '%s\n' 'FAILED: npm run check (output above the tests)' >&2
((checked == 0 && tested == 0))
