import type { StructuralSchema, ValidationRule } from './structural.ts';

/** Neither absent nor empty. `dyn`: CEL compares null with values of no type but its own. */
const has = (field: string) => `(has(self.${field}) && dyn(self.${field}) != null)`;

const unset = (field: string) => `!${has(field)}`;

/**
 * What a schema cannot say, by the path of the object that it is about. The same is judged in `../sections/`; here it
 * only comes earlier, from the API server, before anything is stored.
 */
const rules: Record<string, ValidationRule[]> = {
  '': [{ rule: 'size(self.metadata.name) <= 53', message: 'the name has more than 53 characters' }],
  'spec.postgresql': [
    {
      rule: 'int(self.version) >= int(oldSelf.version)',
      message: 'a major version can be raised, never lowered',
    },
  ],
  'spec.patroni': [
    {
      rule: `${unset('ttl')} || self.ttl == 0 || self.ttl >= 20`,
      message: 'ttl must be 20 or more, or 0 for the default',
    },
    {
      rule: `${unset('retry_timeout')} || self.retry_timeout == 0 || self.retry_timeout >= 3`,
      message: 'retry_timeout must be 3 or more, or 0 for the default',
    },
    {
      rule: `${unset('synchronous_mode_strict')} || !self.synchronous_mode_strict || ${unset('synchronous_mode')} || self.synchronous_mode`,
      message: 'synchronous_mode_strict has no meaning while synchronous_mode is false',
    },
    {
      rule: `${unset('synchronous_node_count')} || self.synchronous_node_count >= 1`,
      message: 'synchronous_node_count must be 1 or more; synchronous_mode switches it off',
    },
  ],
  'spec.connectionPooler': [
    {
      rule: `${unset('maxDBConnections')} || ${unset('numberOfInstances')} || self.maxDBConnections >= self.numberOfInstances`,
      message: 'maxDBConnections must be numberOfInstances or more',
    },
  ],
  'spec.standby': [
    {
      rule: `${has('standby_host')} || ${has('s3_wal_path')} || ${has('gs_wal_path')}`,
      message: 'add standby_host, s3_wal_path or gs_wal_path',
    },
    {
      rule: `!(${has('s3_wal_path')} && ${has('gs_wal_path')})`,
      message: 'keep one of s3_wal_path and gs_wal_path',
    },
  ],
};

/** `root` with the rules; `root` itself is not changed. */
export function withRules(root: StructuralSchema): StructuralSchema {
  return Object.entries(rules).reduce(
    (schema, [path, list]) => addRules(schema, path === '' ? [] : path.split('.'), list),
    root,
  );
}

function addRules(node: StructuralSchema, path: string[], list: ValidationRule[]): StructuralSchema {
  const [key, ...rest] = path;
  if (key === undefined) {
    const guarded = list.map(({ rule, message }) => ({ rule: `dyn(self) == null || (${rule})`, message }));
    return { ...node, 'x-kubernetes-validations': node.nullable === true ? guarded : list };
  }
  const child = node.properties?.[key];
  if (child === undefined) throw new TypeError(`the format has no field ${key}`);
  return { ...node, properties: { ...node.properties, [key]: addRules(child, rest, list) } };
}
