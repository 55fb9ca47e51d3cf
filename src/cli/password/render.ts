import type { ClusterRef, Credentials } from '../../platform/contract.ts';
import { head } from '../documents.ts';
import type { PasswordDocument } from '../schema.ts';

/** The password as JSON. */
export function passwordToDocument(
  ref: ClusterRef,
  user: string,
  { secret, password }: Credentials,
): PasswordDocument {
  return { ...head(ref), user, secret, password };
}
