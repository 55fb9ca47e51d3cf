import { z } from 'zod';

/** What docs and error messages say about a field beside its description. */
export interface FieldInfo {
  /** A value as it would be written in the manifest, for hints: `"16"`, `[createdb]`. */
  example?: string;
  /** What an absent field means, in words or as a value. Not a schema default: the CRD has none. */
  fallback?: string;
  /** The field to write instead: this one is an alias of older manifests. */
  replacedBy?: string;
}

/** Kept beside the schema, not in it, so that nothing of it leaks into the generated CRD. */
export const fieldInfo = z.registry<FieldInfo>();

/** A field that must be there. */
export function required<T extends z.ZodType>(schema: T, about: string, info: FieldInfo = {}): T {
  const described = schema.describe(about);
  fieldInfo.add(described, info);
  return described;
}

/** A field that may be left out; an empty value (`users:`) is the same as leaving it out. */
export function optional<T extends z.ZodType>(schema: T, about: string, info: FieldInfo = {}) {
  const described = schema.nullish().describe(about);
  fieldInfo.add(described, info);
  return described;
}

export const int32 = z.int().min(-2_147_483_648).max(2_147_483_647);
export const uint32 = z.int().min(0).max(4_294_967_295);
export const int64 = z.int();
export const stringMap = z.record(z.string(), z.string().describe('Value'));
/** A Kubernetes object of a type that only Kubernetes reads. */
export const anyObject = z.looseObject({});
