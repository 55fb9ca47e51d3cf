import { stringify } from 'yaml';
import { z } from 'zod';
import { customResourceDefinition } from '../../../core/manifest/crd/definition.ts';
import { type Piece, pieces } from './objects.ts';
import { CONFIG_HASH, documents } from './plain.ts';
import { defaultValues, installValuesSchema } from './values.ts';
import { valuesYaml } from './valuesYaml.ts';

/**
 * The Helm chart, of the same description as the plain YAML: its blanks are filled with expressions. They name values
 * with `$`, the root, as some stand within a `range`.
 */

const WRITTEN = '# Written by scripts/deployFiles.ts: do not edit.\n';

/** Contents of the chart's files by their paths in it. */
export function chartFiles(version: string): Record<string, string> {
  return {
    'Chart.yaml': WRITTEN + stringify(about(version)),
    'values.yaml': valuesYaml(installValuesSchema(version), defaultValues(version)),
    'values.schema.json': `${JSON.stringify(valuesJsonSchema(version), null, 2)}\n`,
    'crds/postgresql.yaml': WRITTEN + documents([customResourceDefinition()]),
    'templates/operator.yaml': `{{- /* Written by scripts/deployFiles.ts: do not edit. */ -}}\n${template()}`,
  };
}

function about(version: string) {
  return {
    apiVersion: 'v2',
    name: 'pgherd',
    description: 'PostgreSQL clusters that heal themselves, of postgresql manifests',
    type: 'application',
    version,
    appVersion: version,
    kubeVersion: '>=1.21.0-0',
  };
}

function valuesJsonSchema(version: string): unknown {
  const schema = z.toJSONSchema(installValuesSchema(version), { io: 'input', target: 'draft-7' });
  // Charts that this one is a part of put their own values beside ours.
  return { ...schema, properties: { ...schema.properties, global: {} } };
}

/** A Helm expression; `block` when its value is a map, a list or a text of several lines. */
class Expression {
  readonly text: string;
  readonly block: boolean;
  constructor(text: string, block = false) {
    this.text = text;
    this.block = block;
  }
}

const scalar = (path: string) => new Expression(`$.Values.${path}`);
const block = (path: string) => new Expression(`toYaml $.Values.${path}`, true);

function template(): string {
  const blanks = {
    namespace: new Expression('$.Release.Namespace'),
    image: new Expression('$.Values.image | quote'),
    imagePullPolicy: scalar('imagePullPolicy'),
    imagePullSecrets: block('imagePullSecrets'),
    replicas: scalar('replicas'),
    config: new Expression('toYaml $.Values.config', true),
    podAnnotations: new Expression(
      `toYaml (merge (dict "${CONFIG_HASH}" (toYaml $.Values.config | sha256sum | trunc 16)) $.Values.podAnnotations)`,
      true,
    ),
    resources: block('resources'),
    nodeOptions: new Expression('$.Values.nodeOptions | quote'),
    nodeSelector: block('nodeSelector'),
    tolerations: block('tolerations'),
    monitoring: { interval: scalar('monitoring.interval'), labels: block('monitoring.labels') },
  };
  return pieces(blanks, new Expression('.')).map(withCondition).join('');
}

const everywhere = 'has "*" $.Values.config.watchedNamespaces';
const CONDITIONS: Record<Piece['when'], readonly string[]> = {
  always: [],
  clusterWide: [`if ${everywhere}`],
  eachNamespace: [
    `if not (${everywhere})`,
    'range default (list $.Release.Namespace) $.Values.config.watchedNamespaces',
  ],
  serviceMonitor: ['if $.Values.monitoring.serviceMonitor'],
  alertRules: ['if $.Values.monitoring.alertRules'],
};

function withCondition({ when, object }: Piece): string {
  const conditions = CONDITIONS[when];
  const open = conditions.map(condition => `{{- ${condition} }}\n`).join('');
  return `${open}---\n${yamlWithExpressions(object)}${'{{- end }}\n'.repeat(conditions.length)}`;
}

function yamlWithExpressions(object: unknown): string {
  const found: Expression[] = [];
  const marked = replaceExpressions(object, found);
  return stringify(marked, { lineWidth: 0, aliasDuplicateObjects: false }).replace(
    /^( *)(.*?)EXPRESSION(\d+)$/gm,
    (_, indent: string, before: string, index: string) => {
      const { text, block } = found[Number(index)] ?? new Expression('');
      if (!block) return `${indent}${before}{{ ${text} }}`;
      // The text of a file starts with a bar, and what follows `- ` is two columns deeper.
      const bar = before.includes('.yaml:') ? '| ' : '';
      const depth = indent.length + (before.startsWith('- ') ? 4 : 2);
      return `${indent}${before}${bar}{{- ${text} | nindent ${depth} }}`;
    },
  );
}

function replaceExpressions(value: unknown, found: Expression[]): unknown {
  if (value instanceof Expression) return `EXPRESSION${found.push(value) - 1}`;
  if (Array.isArray(value)) return value.map(item => replaceExpressions(item, found));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, replaceExpressions(child, found)]),
  );
}
