import { spawnSync } from 'node:child_process';
import { describe, it } from 'vitest';
import { integration, type Sandbox } from './sandbox.ts';

/** A block of integration tests with isolated members; skipped, and said so, where there can be none. */
export function isolated(title: string, body: (sandbox: Sandbox) => void): void {
  const obstacle = obstacleHere();
  if (obstacle === undefined) {
    integration(title, body);
    return;
  }
  process.stderr.write(`SKIPPED ${title}: ${obstacle}\n`);
  describe(`${title} (${obstacle})`, () => {
    it.skip('isolated members', () => {});
  });
}

function obstacleHere(): string | undefined {
  if (process.getuid?.() !== 0) return 'isolated members need root';
  const { status, stderr } = spawnSync('/usr/bin/unshare', ['--net', 'true'], { encoding: 'utf8' });
  return status === 0 ? undefined : `no network namespaces here: ${stderr?.trim() || 'unshare failed'}`;
}
