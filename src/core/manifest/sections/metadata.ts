import type { Findings } from '../findings.ts';
import type { ManifestSource } from '../schema.ts';
import type { ClusterSpec } from '../spec.ts';

const dnsLabel = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const namespaceLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const labelName = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const labelPrefix = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Leaves room below the 63 characters of a DNS label for what is appended: `-pooler-repl` and the like. */
const maxNameLength = 53;

type Metadata = Pick<ClusterSpec, 'name' | 'namespace' | 'teamId' | 'labels' | 'annotations'>;

/** Who the cluster is. Names end up in DNS, Services and directories: DNS-1035, at most 53 characters. */
export function readMetadata(source: ManifestSource, findings: Findings): Metadata {
  const { name } = source.metadata;
  const namespace = source.metadata.namespace ?? 'default';
  const teamId = source.spec.teamId ?? '';
  if (name.length > maxNameLength || !dnsLabel.test(name)) {
    findings.error(['metadata', 'name'], {
      code: 'wrong-name',
      message: `the name ${JSON.stringify(name)} cannot be used for a cluster`,
      hint: `use at most ${maxNameLength} lower-case letters, digits and hyphens, a letter first, no hyphen last${suggestion(name)}`,
    });
  }
  if (namespace.length > 63 || !namespaceLabel.test(namespace)) {
    findings.error(['metadata', 'namespace'], {
      code: 'wrong-name',
      message: `${JSON.stringify(namespace)} is no namespace`,
      hint: 'use at most 63 lower-case letters, digits and hyphens, no hyphen first or last',
    });
  }
  if (teamId.length > 63 || (teamId !== '' && !labelName.test(teamId))) {
    findings.error(['spec', 'teamId'], {
      code: 'wrong-name',
      message: `the team ${JSON.stringify(teamId)} cannot be used as a label`,
      hint: 'use at most 63 letters, digits, `-`, `_` and `.`, a letter or digit first and last',
    });
  }
  const labels = source.metadata.labels ?? {};
  const annotations = source.metadata.annotations ?? {};
  checkKeys(Object.keys(labels), 'labels', findings);
  checkKeys(Object.keys(annotations), 'annotations', findings);
  for (const [key, value] of Object.entries(labels)) {
    if (value === '' || (value.length <= 63 && labelName.test(value))) continue;
    findings.error(['metadata', 'labels', key], {
      code: 'wrong-label',
      message: `${JSON.stringify(value)} cannot be the value of a label`,
      hint: 'use at most 63 letters, digits, `-`, `_` and `.`; put free text into annotations',
    });
  }
  return { name, namespace, teamId, labels, annotations };
}

function checkKeys(keys: string[], section: 'labels' | 'annotations', findings: Findings): void {
  for (const key of keys) {
    const slash = key.indexOf('/');
    const prefix = key.slice(0, Math.max(slash, 0));
    const name = key.slice(slash + 1);
    const fits =
      name.length <= 63 &&
      labelName.test(name) &&
      prefix.length <= 253 &&
      (slash === -1 || labelPrefix.test(prefix));
    if (fits) continue;
    findings.error(
      ['metadata', section, key],
      {
        code: 'wrong-label',
        message: `${JSON.stringify(key)} cannot be a key of ${section}`,
        hint: 'write `name` or `example.com/name`: letters, digits, `-`, `_` and `.`',
      },
      'key',
    );
  }
}

function suggestion(name: string): string {
  const better = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, maxNameLength)
    .replace(/-+$/, '');
  return dnsLabel.test(better) ? `: ${better}` : '';
}
