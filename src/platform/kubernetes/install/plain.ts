import { stringify } from 'yaml';
import { customResourceDefinition } from '../../../core/manifest/crd/definition.ts';
import { hashOf } from '../objects/hash.ts';
import { pieces } from './objects.ts';
import { defaultValues } from './values.ts';

/** Annotation of the operator's pods: they are replaced when it changes. */
export const CONFIG_HASH = 'pgherd.dev/config-hash';
const NAMESPACE = 'pgherd';

const HEAD = `# pgherd's operator with its defaults, for \`kubectl apply --server-side -f\`. Written by scripts/deployFiles.ts:
# do not edit. Change what the operator may know with the ConfigMap, or install with the chart in deploy/chart.
`;

/** deploy/pgherd.yaml: everything, in the order in which it has to be created. */
export function plainYaml(version: string): string {
  const values = defaultValues(version);
  const config = stringify(values.config);
  const blanks = {
    ...values,
    namespace: NAMESPACE,
    config,
    podAnnotations: { [CONFIG_HASH]: hashOf(config) },
  };
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } };
  const own = pieces(blanks, NAMESPACE)
    .filter(piece => piece.when === 'always' || piece.when === 'clusterWide')
    .map(piece => piece.object);
  return HEAD + documents([namespace, customResourceDefinition(), ...own]);
}

export function documents(objects: readonly unknown[]): string {
  return objects
    .map(object => `---\n${stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })}`)
    .join('');
}
