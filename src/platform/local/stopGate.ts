/**
 * The moment before Patroni ends a PostgreSQL in order. Asked for a switchover, Patroni looks at the other members twice
 * and writes a checkpoint first: some tenths of a second in which clients need not be held back yet. Its `before_stop` waits
 * for whoever left a file for it, and only for so long that nothing else comes to harm: it runs before any stop.
 */
import { access, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '../../lib/time.ts';
import type { StopGate } from '../contract.ts';

const LOOK_EVERY_MS = 10;
/** In the script: 150 looks, 20 ms apart. Longer than clients are drained, far shorter than the lease. */
const LOOKS = 150;
/** What somebody left who has died since is not waited for. */
const STALE = '2 minutes ago';

const gateFile = (socketDir: string) => join(socketDir, 'stop-gate');
const reachedFile = (socketDir: string) => join(socketDir, 'stop-gate.reached');

/** Shuts the gate of the member with these sockets. Rejects when the file cannot be written. */
export async function shutStopGate(socketDir: string): Promise<StopGate> {
  const [gate, mark] = [gateFile(socketDir), reachedFile(socketDir)];
  await rm(mark, { force: true });
  await writeFile(gate, '');
  const end = new AbortController();
  return {
    reached: untilThere(mark, end.signal),
    async [Symbol.asyncDispose]() {
      end.abort();
      await rm(gate, { force: true });
      await rm(mark, { force: true });
    },
  };
}

/** Never resolves when it is ended before: whoever waits has something else to wait for. */
async function untilThere(file: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if (await isThere(file)) return;
    await sleep(LOOK_EVERY_MS, signal).catch(() => {});
  }
  await new Promise(() => {});
}

async function isThere(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}

/** Patroni's `before_stop`. It asks nobody, and its exit code changes nothing. */
export function beforeStopScript(socketDir: string): string {
  const gate = gateFile(socketDir);
  return `#!/bin/sh
# Called by Patroni before it ends PostgreSQL. Rendered by pgherd; edits are overwritten.
gate='${gate}'
[ -n "$(find "$gate" -newermt '${STALE}' 2>/dev/null)" ] || exit 0
: > '${reachedFile(socketDir)}'
looks=0
while [ -e "$gate" ] && [ "$looks" -lt ${LOOKS} ]; do
  looks=$((looks + 1))
  sleep 0.02
done
rm -f "$gate"
exit 0
`;
}
