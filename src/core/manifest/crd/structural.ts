import { z } from 'zod';

/** The part of OpenAPI that a structural schema of Kubernetes may use, as far as this format needs it. */
export interface StructuralSchema {
  type: 'object' | 'array' | 'string' | 'boolean' | 'integer';
  description?: string;
  format?: 'int32' | 'int64';
  nullable?: true;
  properties?: Record<string, StructuralSchema>;
  required?: string[];
  additionalProperties?: StructuralSchema;
  items?: StructuralSchema;
  enum?: string[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  'x-kubernetes-preserve-unknown-fields'?: true;
  'x-kubernetes-list-type'?: 'map';
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-validations'?: ValidationRule[];
}

export interface ValidationRule {
  rule: string;
  message: string;
}

/**
 * A zod schema of this format as a structural schema. Throws for kinds of schema that the format does not use: a
 * field of a new kind must not come out without a type.
 */
export function structural(schema: unknown): StructuralSchema {
  const { bare, description, nullable } = peel(schema);
  const node = bareNode(bare);
  return {
    ...node,
    ...(description === undefined ? {} : { description }),
    // An API server compares null with the words of an enum, too; where null is not allowed, it drops it.
    ...(nullable && node.enum === undefined ? { nullable: true } : {}),
  };
}

function bareNode(schema: unknown): StructuralSchema {
  if (schema instanceof z.ZodObject) return objectNode(schema);
  if (schema instanceof z.ZodRecord)
    return { type: 'object', additionalProperties: structural(schema.valueType) };
  if (schema instanceof z.ZodArray) return { type: 'array', items: structural(schema.element) };
  if (schema instanceof z.ZodBoolean) return { type: 'boolean' };
  if (schema instanceof z.ZodEnum) return { type: 'string', enum: schema.options.map(String) };
  if (schema instanceof z.ZodLiteral) return { type: 'string', enum: [...schema.values].map(String) };
  if (schema instanceof z.ZodString)
    return { type: 'string', ...(schema.minLength === null ? {} : { minLength: schema.minLength }) };
  if (schema instanceof z.ZodNumber) return numberNode(schema);
  throw new TypeError('a kind of schema that has no counterpart in a CRD');
}

/** Unknown keys are kept everywhere: whether they are an error is said by who reads the object. */
function objectNode(schema: z.ZodObject): StructuralSchema {
  const entries = Object.entries(schema.shape);
  const required = entries.filter(([, child]) => !(child instanceof z.ZodOptional)).map(([key]) => key);
  return {
    type: 'object',
    ...(entries.length === 0
      ? {}
      : { properties: Object.fromEntries(entries.map(([key, child]) => [key, structural(child)])) }),
    ...(required.length === 0 ? {} : { required }),
    'x-kubernetes-preserve-unknown-fields': true,
  };
}

const INT32 = { minimum: -2_147_483_648, maximum: 2_147_483_647 };

/** Bounds that only say how wide the number is are the format's. */
function numberNode(schema: z.ZodNumber): StructuralSchema {
  const minimum = schema.minValue ?? Number.NEGATIVE_INFINITY;
  const maximum = schema.maxValue ?? Number.POSITIVE_INFINITY;
  const small = minimum >= INT32.minimum && maximum <= INT32.maximum;
  const widest = small ? INT32 : { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER };
  return {
    type: 'integer',
    format: small ? 'int32' : 'int64',
    ...(minimum > widest.minimum ? { minimum } : {}),
    ...(maximum < widest.maximum ? { maximum } : {}),
  };
}

function peel(schema: unknown): { bare: unknown; description: string | undefined; nullable: boolean } {
  let current = schema;
  let nullable = false;
  let description = schema instanceof z.ZodType ? schema.description : undefined;
  while (current instanceof z.ZodOptional || current instanceof z.ZodNullable) {
    nullable ||= current instanceof z.ZodNullable;
    current = current.unwrap();
    description ??= current instanceof z.ZodType ? current.description : undefined;
  }
  return { bare: current, description, nullable };
}
