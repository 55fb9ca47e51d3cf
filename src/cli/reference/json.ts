import { z } from 'zod';
import {
  backupDocument,
  backupKeyDocument,
  backupsDocument,
  dumpDocument,
  expireDocument,
} from '../backups/schema.ts';
import { drillCleanDocument, drillDocument, drillListDocument } from '../drill/schema.ts';
import { restoreDocument } from '../restore/schema.ts';
import {
  choresDocument,
  destroyDocument,
  downDocument,
  errorDocument,
  eventsDocument,
  failoverDocument,
  listDocument,
  logDocument,
  passwordDocument,
  planDocument,
  reinitDocument,
  restartDocument,
  setupDocument,
  statusDocument,
  switchoverDocument,
  topologyDocument,
  upDocument,
  urlDocument,
  versionDocument,
} from '../schema.ts';
import { stressDocument } from '../stress/schema.ts';
import { verifyDocument } from '../verify/schema.ts';

const DOCUMENTS: readonly (readonly [command: string, schema: z.ZodType, note?: string])[] = [
  [
    'status',
    statusDocument,
    'With `--watch` one such document per line at each change, without line breaks inside.',
  ],
  ['topology', topologyDocument],
  ['list', listDocument],
  ['plan', planDocument, '`up --dry-run` prints the same.'],
  ['up', upDocument],
  ['url', urlDocument],
  ['password', passwordDocument],
  ['logs', logDocument, 'One document per line and log line, with or without `--follow`.'],
  ['events', eventsDocument],
  ['switchover', switchoverDocument],
  ['failover', failoverDocument],
  ['restart', restartDocument],
  ['reinit', reinitDocument],
  ['backup', backupDocument, '`backup --logical` prints a document of its own (below).'],
  ['backup --logical', dumpDocument],
  ['backups', backupsDocument],
  ['restore', restoreDocument],
  ['verify', verifyDocument],
  ['expire', expireDocument],
  ['backup-key', backupKeyDocument],
  ['stress', stressDocument, 'Nothing is printed before the end; the exit code says whether it passed.'],
  ['down', downDocument],
  ['destroy', destroyDocument],
  ['drill', drillDocument, '`drill --list` and `drill clean` print documents of their own (below).'],
  ['drill --list', drillListDocument],
  ['drill clean', drillCleanDocument],
  ['chores', choresDocument, 'Started by the control plane; people need not.'],
  ['setup', setupDocument],
  ['version', versionDocument],
];

/** The page docs/reference/json.md, made from the schemas that tests hold the outputs to. */
export function jsonPage(): string {
  return [
    '# JSON output',
    '',
    'Made from `src/cli/schema.ts`; `npx vitest run --project unit -u src/cli` writes it anew.',
    '',
    'Every command takes `--output json`. The document goes to stdout, alone; progress goes to stderr, and only',
    'where that is a terminal. Each document has `schema: 1`: as long as that number stays, keys are added but',
    'never renamed, removed or given another meaning. Keys are always there; `null` means "does not apply" or "could',
    'not be seen". Exit codes are the same as with text.',
    '',
    '## Errors',
    '',
    'Whatever goes wrong, usage errors included, stdout holds this document instead, and the exit code is not 0',
    '(`logs` and `status --watch` may have printed others before).',
    '',
    ...keyTable(errorDocument),
    '',
    ...DOCUMENTS.flatMap(([command, schema, note]) => [
      `## ${command}`,
      '',
      ...(note === undefined ? [] : [note, '']),
      ...keyTable(schema),
      '',
    ]),
  ].join('\n');
}

function keyTable(schema: z.ZodType): string[] {
  return ['| Key | Type | Meaning |', '|---|---|---|', ...rows(z.toJSONSchema(schema), '')];
}

type Shape = z.core.JSONSchema.BaseSchema;

function rows(shape: Shape, prefix: string): string[] {
  const required = new Set(shape.required);
  return Object.entries(shape.properties ?? {}).flatMap(([key, value]) => {
    if (typeof value === 'boolean') return [];
    const { core, nullable } = unwrapped(value);
    const list = core.type === 'array' && typeof core.items === 'object' && !Array.isArray(core.items);
    const inner = list ? unwrapped(core.items as Shape).core : core;
    const path = `${prefix}${key}${list ? '[]' : ''}`;
    const meaning = value.description ?? core.description ?? '';
    const optional = required.has(key) ? '' : ' (only where it applies)';
    const row = `| \`${path}\` | ${typeName(inner)}${nullable ? ' or null' : ''} | ${meaning}${optional} |`;
    return [row, ...rows(inner, `${path}.`)];
  });
}

/** `anyOf: [X, null]` is a nullable X. */
function unwrapped(shape: Shape): { core: Shape; nullable: boolean } {
  const choices = shape.anyOf ?? [];
  const core = choices.find(
    (choice): choice is Shape => typeof choice === 'object' && choice.type !== 'null',
  );
  return core === undefined ? { core: shape, nullable: false } : { core, nullable: true };
}

function typeName(shape: Shape): string {
  if (shape.const !== undefined) return `\`${JSON.stringify(shape.const)}\``;
  if (shape.enum !== undefined) return shape.enum.map(value => `\`${String(value)}\``).join(', ');
  if (shape.format === 'date-time') return 'moment';
  if (shape.type === 'object' && shape.properties === undefined) return 'map of strings';
  const types = Array.isArray(shape.type) ? shape.type : [shape.type ?? 'any'];
  return types.join(' or ');
}
