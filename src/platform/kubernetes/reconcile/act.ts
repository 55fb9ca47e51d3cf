import type { LiveObject } from '../api/kinds.ts';
import { askSwitchover, restartMember } from '../patroni/write.ts';
import type { RollStep } from '../roll/decide.ts';
import type { Tools } from './context.ts';
import { scale } from './objects.ts';

/** Name of the container with Patroni and PostgreSQL. */
export const MEMBER_CONTAINER = 'postgres';

export interface ActContext extends Tools {
  cluster: LiveObject;
  labels: Record<string, string>;
}

/** Does the one step that was decided, and says so in an Event. Resolves with whether anything was done. */
export async function act(
  step: RollStep,
  { cluster, labels, reconciler, memory, signal }: ActContext,
): Promise<boolean> {
  const { client, metrics } = reconciler;
  const { name, namespace = 'default' } = cluster.metadata;
  const say = (reason: string, message: string) =>
    reconciler.record(cluster, { type: 'Normal', reason, message }, signal);
  switch (step.kind) {
    case 'none':
    case 'wait':
      return false;
    case 'stuck':
      await reconciler.record(
        cluster,
        { type: 'Warning', reason: 'RolloutStuck', message: `${step.pod}: ${step.reason}: ${step.message}` },
        signal,
      );
      return false;
    case 'delete-pod':
      await say('MemberReplaced', `${step.pod} is made anew: ${step.reason}`);
      await client.remove({ kind: 'Pod', namespace, name: step.pod }, { uid: step.uid }, signal);
      break;
    case 'switchover':
      await say('Switchover', `${step.to} takes over from ${step.from}: ${step.reason}`);
      memory.movingTo = step.to;
      await askSwitchover(step.from, step.to, { client, namespace, cluster: name, labels, signal });
      break;
    case 'restart-member':
      await say('MemberRestarted', `PostgreSQL of ${step.member} is restarted: ${step.reason}`);
      await restartMember({ namespace, pod: step.member, container: MEMBER_CONTAINER }, name, {
        client,
        signal,
      });
      break;
    case 'scale':
      await say('Scaled', `${step.to} instances: ${step.reason}`);
      await scale(cluster, step.to, reconciler, signal);
      break;
  }
  metrics.steps.inc({ kind: step.kind });
  return true;
}
