import { RefusedError } from '../lib/errors.ts';
import type { Credentials, PlatformCluster } from '../platform/contract.ts';

/** The credentials of a user. A user without any is refused with the names of those who have some. */
export async function credentialsOf(cluster: PlatformCluster, user: string): Promise<Credentials> {
  const users = await cluster.access.users();
  if (users.includes(user)) return cluster.access.credentials(user);
  throw new RefusedError({
    code: 'no-such-user',
    message: `${cluster.ref.name} has no password of a user ${user}`,
    hint: `there is: ${users.join(', ')}`,
  });
}
