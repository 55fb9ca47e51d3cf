import { manifestSchema } from './schema.ts';
import { fieldsOf, type SchemaField } from './schemaWalk.ts';
import { exceptionOnKubernetes, treatmentOf } from './support.ts';

const intro = `<!-- Written by scripts/manifestDocs.ts from src/core/manifest: change the schema there, then run it. -->

# The manifest, field by field

A cluster is one YAML document of \`apiVersion: acid.zalan.do/v1\` and \`kind: postgresql\`. The shortest one is
[examples/minimal.yaml](../examples/minimal.yaml).

- Every field of the format is known. An unknown one is an error: nothing is silently ignored.
- An empty value (\`maintenanceWindows:\`) is the same as leaving the field out.
- Strings that look like numbers need quotes: \`version: "16"\`. Values of \`parameters\` are taken without
  them, with a warning: Kubernetes would refuse them.
- All errors are shown at once, each with line, column and what to write instead. Warnings do not stop \`up\`.

What one machine, and the operator on Kubernetes, do with a field:

| Word | Meaning |
|---|---|
| **acts** | the field has its effect, as described |
| **warns** | the field has no effect here; a warning says what happens instead |
| **refuses** | going on would make something else than was asked for: an error says what to do |

A field that warns or refuses speaks for everything below it. On Kubernetes an unknown field is a warning: manifests
with such fields are in use there. In paths, \`*\` stands for a name of your choice and
\`[]\` for each item of a list.
`;

const outro = `
## Not set by the manifest

Some PostgreSQL parameters belong to pgherd or Patroni (addresses, certificates, replication, the archive). They
are refused below \`parameters\` with the reason; where the value is the one in force anyway, a warning says so.

Roles of these names exist already or are PostgreSQL's: \`postgres\`, \`standby\`, \`admin\`, \`cron_admin\`, the
pooler's user, and everything that begins with \`pg_\`. A name has at most 63 bytes, the roles of prepared databases
included, and no two users may differ only by \`-\` and \`_\`: their Secrets would have the same name.
`;

/** The page docs/manifest.md: every field, from the schema and the support table. */
export function renderManifestDocs(): string {
  const groups = Map.groupBy(fieldsOf(manifestSchema), groupOf);
  const sections = [...groups].map(([title, fields]) => `\n## ${title}\n\n${table(fields)}`);
  return `${intro}${sections.join('')}${outro}`;
}

/** Parts of `spec` that have parts themselves get a table of their own; the rest stays together. */
function groupOf(field: SchemaField): string {
  const [top, second] = field.path.replaceAll('[]', '').split('.');
  if (top !== 'spec') return 'The object';
  return nestedParts.has(second ?? '') ? `spec.${second}` : 'spec';
}

const nestedParts = new Set(
  fieldsOf(manifestSchema).flatMap(field => /^spec\.(\w+)(?:\[\])?\../.exec(field.path)?.[1] ?? []),
);

function table(fields: SchemaField[]): string {
  const rows = fields.map(field => {
    const cells = [
      `\`${field.path}\``,
      field.type,
      fallback(field),
      about(field),
      local(field.path),
      onKubernetes(field.path),
    ];
    return `| ${cells.map(escapeCell).join(' | ')} |`;
  });
  return [
    '| Field | Type | Default | Meaning | On one machine | On Kubernetes |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function fallback(field: SchemaField): string {
  if (field.required) return '**required**';
  return field.info.fallback ?? '';
}

function about(field: SchemaField): string {
  return field.info.example === undefined
    ? field.about
    : `${field.about}. Example: \`${field.info.example}\``;
}

function local(path: string): string {
  const found = treatmentOf(path);
  return found === undefined ? '' : said(path, found);
}

function onKubernetes(path: string): string {
  const found = exceptionOnKubernetes(path);
  return found === undefined ? 'acts' : said(path, found);
}

function said(path: string, { from, treatment }: NonNullable<ReturnType<typeof treatmentOf>>): string {
  if (from !== path) return `see \`${from}\``;
  const verb = { acted: 'acts', warned: 'warns', refused: 'refuses' }[treatment.how];
  return `**${verb}**: ${treatment.says}`;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}
