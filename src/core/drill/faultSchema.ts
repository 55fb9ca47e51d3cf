/** A fault as it stands in a register, read back by another process. */
import { z } from 'zod';
import type { Fault } from './fault.ts';

const member = z.string();

export const faultSchema: z.ZodType<Fault> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('signal'),
    member,
    process: z.enum([
      'postmaster',
      'backend',
      'walwriter',
      'checkpointer',
      'walsender',
      'walreceiver',
      'startup',
      'patroni',
    ]),
    signal: z.enum(['KILL', 'STOP']),
  }),
  z.strictObject({ kind: z.literal('kill-server'), component: z.string() }),
  z.strictObject({ kind: z.literal('hold-down'), components: z.array(z.string()) }),
  z.strictObject({
    kind: z.literal('cut'),
    member,
    peers: z.enum(['everyone', 'dcs', 'members', 'clients']),
    direction: z.enum(['both', 'outgoing', 'incoming']),
  }),
  z.strictObject({
    kind: z.literal('break-repository'),
    repository: z.string(),
    how: z.enum(['read-only', 'full', 'unreachable', 'flipped', 'missing']),
  }),
  ...(
    [
      'power-off',
      'freeze',
      'link-down',
      'forget-connections',
      'fill-volume',
      'freeze-volume',
      'lose-data',
      'pause-replay',
      'promote',
      'delete-pod',
    ] as const
  ).map(kind => z.strictObject({ kind: z.literal(kind), member })),
  ...(['kill-control-plane', 'power-off-all'] as const).map(kind =>
    z.strictObject({ kind: z.literal(kind) }),
  ),
]);
