import { shellQuote } from '../../lib/shell.ts';

/** A segment takes a fraction of a second. A repository that hangs must not hold up PostgreSQL's end for ever. */
const ARCHIVE_SECONDS = 45;
const ENDING_SECONDS = 5;

export interface ArchiveScriptInput {
  /** pgBackRest's path. */
  program: string;
  /** Configuration with all repositories. */
  config: string;
  stanza: string;
  /** File that says since when it fails, and why. */
  failure: string;
  /** File that is there once a repository was made; undefined: pgBackRest finds out by itself. */
  made: string | undefined;
}

/**
 * PostgreSQL calls it in the data directory. It fails until every repository has the segment, and PostgreSQL keeps
 * the segment that long. Since when it fails, and why, is left in a file for `status`.
 */
export function archiveScript({ program, config, stanza, failure, made }: ArchiveScriptInput): string {
  return `#!/bin/sh
# Called by PostgreSQL with the path of a WAL segment. Rendered by pgherd; edits are overwritten.
failure=${shellQuote(failure)}
if ${made === undefined ? 'false' : `[ ! -e ${shellQuote(made)} ]`}; then
  code=1
  message='no repository has been made yet'
else
  limit=${ARCHIVE_SECONDS}
  # A server that ends waits for this, three times over. What is not archived now is when it runs again.
  case "$(sed -n 8p postmaster.pid 2>/dev/null)" in stopping*)
    [ ! -e "$failure" ] || exit 1
    limit=${ENDING_SECONDS} ;;
  esac
  message=$(env -i PATH=/usr/local/bin:/usr/bin:/bin LC_ALL=C.UTF-8 HOME=/ \\
    timeout -k 2 "$limit" ${shellQuote(program)} --config=${shellQuote(config)} --stanza=${stanza} \\
    --pg1-path="$PWD" archive-push "$1" 2>&1)
  code=$?
fi
if [ "$code" -eq 0 ]; then
  [ ! -e "$failure" ] || rm -f "$failure"
  exit 0
fi
[ "$code" -ne 124 ] || message="no answer within $limit s"
since=$(head -n 1 "$failure" 2>/dev/null) || since=$(date +%s)
printf '%s\\n%s\\n' "$since" "$message" > "$failure.new" && mv -f "$failure.new" "$failure"
printf '%s\\n' "$message" >&2
# A code above 125 would make PostgreSQL end its archiver.
[ "$code" -le 125 ] || code=125
exit "$code"
`;
}
