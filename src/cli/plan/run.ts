import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { plan } from './handler.ts';
import { planText, planToDocument } from './render.ts';

export interface PlanFlags {
  listen?: string;
  port?: number;
  strictVersion?: boolean;
  isolate?: boolean;
}

/** Runs `plan FILE` and `up FILE --dry-run`, which are the same. */
export function runPlan(cli: Cli, command: Command, file: string, flags: PlanFlags): Promise<void> {
  const { listen, port, strictVersion = false, isolate } = flags;
  return cli.run(
    command,
    async session => {
      const outcome = await plan(session, file, { listen, port, strictVersion, isolate });
      session.print(planToDocument(outcome), () => planText(outcome, session));
      return undefined;
    },
    { timeoutMs: 5 * 60_000 },
  );
}
