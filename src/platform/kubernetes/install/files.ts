import { customResourceDefinition } from '../../../core/manifest/crd/definition.ts';
import { chartFiles } from './chart.ts';
import { documents, plainYaml } from './plain.ts';

const RULES_HEAD = `# The definition of postgresqls with rules that the API server checks itself, for Kubernetes from 1.25 on: apply it
# over the one that was installed. Written by scripts/deployFiles.ts: do not edit.
`;

/** Contents of the files in deploy/ that are made of this room, by their paths in the repository. */
export function deployFiles(version: string): Record<string, string> {
  const chart = Object.entries(chartFiles(version)).map(([path, text]) => [`deploy/chart/${path}`, text]);
  const withRules = RULES_HEAD + documents([customResourceDefinition({ rules: true })]);
  return {
    'deploy/pgherd.yaml': plainYaml(version),
    'deploy/crd-with-rules.yaml': withRules,
    ...Object.fromEntries(chart),
  };
}
