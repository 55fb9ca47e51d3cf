import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import type { LiveObject } from '../api/kinds.ts';
import { SteeredCluster } from '../remote/steered.ts';
import type { RollStep } from '../roll/decide.ts';
import type { Memory, Tools } from './context.ts';
import { scale } from './objects.ts';

export interface ActContext extends Tools {
  cluster: LiveObject;
  spec: ClusterSpec;
}

/** Does the one step that was decided, and says so in an Event. Resolves with whether anything was done. */
export async function act(
  step: RollStep,
  { cluster, spec, reconciler, memory, signal }: ActContext,
): Promise<boolean> {
  const { client, metrics, choreography } = reconciler;
  const { namespace = 'default' } = cluster.metadata;
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
      await operating(memory, 'switchover', async () => {
        using held = new SteeredCluster(client, cluster, spec);
        await choreography.move(held, { from: step.from, to: step.to }, { signal, progress() {} });
      });
      break;
    case 'restart-member':
      await say('MemberRestarted', `PostgreSQL of ${step.member} is restarted: ${step.reason}`);
      await operating(memory, 'restart', async () => {
        using held = new SteeredCluster(client, cluster, spec);
        await choreography.restart(held, step.member, { signal, progress() {} });
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

/** The sentinel keeps its hands off meanwhile. */
async function operating(memory: Memory, operation: string, work: () => Promise<void>): Promise<void> {
  memory.operation = operation;
  try {
    await work();
  } finally {
    memory.operation = undefined;
  }
}
