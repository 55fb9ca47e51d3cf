/**
 * What an API server would refuse in a schema: the rules of structural schemas and of the subset of OpenAPI that a CRD
 * may use (Kubernetes documentation, "Specifying a structural schema"). Stricter where that costs nothing: a type at
 * every node, and no `default`, which this format does not have.
 */
export function structuralProblems(schema: unknown, options: { rules: boolean }): string[] {
  return problems(schema, '', options, true);
}

const allowed = new Set([
  'type',
  'description',
  'format',
  'nullable',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'enum',
  'minimum',
  'maximum',
  'minLength',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
]);

const types = new Set(['object', 'array', 'string', 'boolean', 'integer', 'number']);
const formats: Record<string, string[]> = { integer: ['int32', 'int64'], string: ['date-time', 'byte'] };
const only: Record<string, string> = {
  properties: 'object',
  additionalProperties: 'object',
  required: 'object',
  'x-kubernetes-preserve-unknown-fields': 'object',
  items: 'array',
  'x-kubernetes-list-type': 'array',
  minimum: 'integer',
  maximum: 'integer',
  minLength: 'string',
};

function problems(schema: unknown, path: string, options: { rules: boolean }, root = false): string[] {
  if (!isMap(schema)) return [`${path}: is no schema`];
  const found: string[] = [];
  const say = (text: string) => found.push(`${path || '(root)'}: ${text}`);
  const type = String(schema.type);
  if (!types.has(type)) say('has no type');
  if (root && type !== 'object') say('must be an object');
  for (const key of Object.keys(schema)) {
    if (key === 'x-kubernetes-validations' ? !options.rules : !allowed.has(key)) say(`may not use ${key}`);
    const wanted = only[key];
    if (wanted !== undefined && wanted !== type) say(`${key} needs the type ${wanted}`);
  }
  if ('properties' in schema && 'additionalProperties' in schema)
    say('properties and additionalProperties exclude each other');
  if (type === 'array' && !isMap(schema.items)) say('an array needs one schema of its items');
  if (typeof schema.format === 'string' && !formats[type]?.includes(schema.format))
    say(`unknown format ${schema.format}`);
  if (schema['x-kubernetes-preserve-unknown-fields'] === false)
    say('x-kubernetes-preserve-unknown-fields: false');
  if (Array.isArray(schema.enum) && schema.enum.some(word => typeof word !== type))
    say('enum of another type');
  const properties = isMap(schema.properties) ? schema.properties : {};
  for (const name of list(schema.required))
    if (!Object.hasOwn(properties, name)) say(`requires ${name}, unknown`);
  if (schema['x-kubernetes-list-type'] === 'map') {
    const item = isMap(schema.items) ? schema.items : {};
    for (const key of list(schema['x-kubernetes-list-map-keys']))
      if (!list(item.required).includes(key)) say(`the key ${key} of a list must be required`);
  }
  if (root && isMap(properties.metadata) && Object.keys(properties.metadata).some(key => key !== 'type'))
    say('metadata may only be restricted in its name');
  const inner = Object.entries(properties).flatMap(([name, child]) =>
    problems(child, path === '' ? name : `${path}.${name}`, options),
  );
  if ('additionalProperties' in schema)
    inner.push(...problems(schema.additionalProperties, `${path}.*`, options));
  if (isMap(schema.items)) inner.push(...problems(schema.items, `${path}[]`, options));
  return [...found, ...inner];
}

function isMap(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
