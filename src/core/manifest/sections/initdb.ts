import type { Findings } from '../findings.ts';
import type { Path } from '../path.ts';
import { closest } from '../suggest.ts';

/** Options of initdb (14 to 18) that shape the cluster. */
const free = new Set([
  'allow-group-access',
  'builtin-locale',
  'data-checksums',
  'encoding',
  'icu-locale',
  'icu-rules',
  'lc-collate',
  'lc-ctype',
  'lc-messages',
  'lc-monetary',
  'lc-numeric',
  'lc-time',
  'locale',
  'locale-provider',
  'no-locale',
  'text-search-config',
  'wal-segsize',
  'debug',
  'discard-caches',
  'noclean',
  'no-clean',
  'nosync',
  'no-sync',
  'no-instructions',
]);

const switches = new Set([
  'allow-group-access',
  'data-checksums',
  'debug',
  'discard-caches',
  'no-locale',
  'noclean',
  'no-clean',
  'nosync',
  'no-sync',
  'no-instructions',
]);

const owned: ReadonlyMap<string, string> = new Map([
  ['auth', 'who may log in is said by patroni.pg_hba'],
  ['auth-host', 'who may log in is said by patroni.pg_hba'],
  ['auth-local', 'who may log in is said by patroni.pg_hba'],
  ['pgdata', 'pgherd chooses where the files of a member lie'],
  ['waldir', 'pgherd chooses where the files of a member lie'],
  ['pwfile', 'pgherd makes the passwords'],
  ['pwprompt', 'pgherd makes the passwords'],
  ['username', 'the superuser of the format is postgres'],
  ['no-data-checksums', 'pg_rewind and the detection of damage need the checksums'],
  ['sync-only', 'initdb would then create nothing'],
  ['show', 'initdb would then create nothing'],
  ['set', 'settings belong below postgresql.parameters'],
]);

/** initdb runs once, at the very first start: a wrong option would be found only there. */
export function checkInitdb(options: Record<string, string>, path: Path, findings: Findings): void {
  for (const [name, value] of Object.entries(options)) {
    const at = [...path, name];
    const reason = owned.get(name);
    if (reason !== undefined) {
      findings.error(
        at,
        {
          code: 'option-set-by-pgherd',
          message: `initdb's ${name} cannot be set: ${reason}`,
          hint: 'delete the line',
        },
        'key',
      );
    } else if (!free.has(name)) {
      const near = closest(name, free);
      findings.error(
        at,
        {
          code: 'unknown-field',
          message: `initdb has no option ${JSON.stringify(name)}`,
          hint:
            near === undefined
              ? 'write a long option of initdb without its `--`, such as encoding'
              : `did you mean \`${near}\`?`,
        },
        'key',
      );
    } else if (switches.has(name) && value !== 'true' && value !== 'false') {
      findings.error(at, {
        code: 'wrong-value',
        message: `initdb's ${name} is a switch, and is ${JSON.stringify(value)}`,
        hint: 'write "true", or delete the line',
      });
    } else if (name === 'data-checksums' && value === 'false') {
      findings.error(at, {
        code: 'option-set-by-pgherd',
        message: `initdb's data-checksums cannot be switched off: ${owned.get('no-data-checksums')}`,
        hint: 'delete the line',
      });
    } else if (value.startsWith('-') || /[\r\n\0]/.test(value)) {
      findings.error(at, {
        code: 'wrong-value',
        message: `${JSON.stringify(value)} cannot be a value of initdb's ${name}`,
        hint: 'write the value alone, on one line',
      });
    }
  }
}
