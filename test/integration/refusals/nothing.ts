import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { processesOf } from '../../support/processes.ts';
import type { Sandbox } from '../../support/sandbox.ts';

/** Nothing runs, and nothing of a cluster was written: neither below the state directory nor beside it. */
export function expectNothing({ root, stateDir }: Sandbox): void {
  expect(processesOf(stateDir)).toEqual([]);
  expect(readdirSync(stateDir)).toEqual([]);
  expect(readdirSync(join(root, 'tmp'))).toEqual([]);
  expect(readdirSync(join(root, 'home'))).toEqual([]);
}
