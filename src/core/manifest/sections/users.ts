import type { Findings } from '../findings.ts';
import type { Path } from '../path.ts';
import type { SpecSource } from '../schemaSpec.ts';
import type { RoleFlag, UserSpec } from '../spec.ts';
import { closest } from '../suggest.ts';
import { checkUserName, whyProtected } from './names.ts';

const roleFlags: readonly RoleFlag[] = [
  'superuser',
  'inherit',
  'login',
  'createrole',
  'createdb',
  'replication',
  'bypassrls',
];

/** What CREATE USER gives when nothing is said. */
const defaultFlags: Record<RoleFlag, boolean> = {
  superuser: false,
  inherit: true,
  login: true,
  createrole: false,
  createdb: false,
  replication: false,
  bypassrls: false,
};

/** The roles of the manifest, every flag with a value. */
export function readUsers(spec: SpecSource, findings: Findings): UserSpec[] {
  return Object.entries(spec.users ?? {}).map(([name, flags]) => {
    const path = ['spec', 'users', name];
    checkUserName(name, path, findings);
    const reason = whyProtected(name);
    if (reason !== undefined) {
      findings.error(
        path,
        {
          code: 'protected-name',
          message: `a user cannot be named ${name}: ${reason}`,
          hint: 'choose another name for the user',
        },
        'key',
      );
    }
    return { name, flags: readFlags(flags ?? [], path, findings) };
  });
}

function readFlags(words: string[], path: Path, findings: Findings): Record<RoleFlag, boolean> {
  const flags = { ...defaultFlags };
  const said = new Map<RoleFlag, string>();
  words.forEach((word, index) => {
    const parsed = parseFlag(word);
    const at = [...path, index];
    if (parsed === undefined) {
      const near = closest(
        word,
        roleFlags.flatMap(flag => [flag, `no${flag}`]),
      );
      findings.error(at, {
        code: 'unknown-value',
        message: `${JSON.stringify(word)} is no flag of a role`,
        hint:
          near === undefined
            ? `write one of ${roleFlags.join(', ')}, or its \`no…\` form`
            : `did you mean ${near}?`,
      });
      return;
    }
    const before = said.get(parsed.flag);
    if (before !== undefined && flags[parsed.flag] !== parsed.value) {
      findings.error(at, {
        code: 'contradiction',
        message: `${word} contradicts ${before} on the same role`,
        hint: 'keep one of the two',
      });
      return;
    }
    said.set(parsed.flag, word);
    flags[parsed.flag] = parsed.value;
  });
  return flags;
}

function parseFlag(word: string): { flag: RoleFlag; value: boolean } | undefined {
  const text = word.trim().toLowerCase();
  const flag = roleFlags.find(known => text === known || text === `no${known}`);
  return flag === undefined ? undefined : { flag, value: flag === text };
}
