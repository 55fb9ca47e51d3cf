import { defineConfig } from 'vitest/config';

const patient = { testTimeout: 180_000, hookTimeout: 180_000 };
/** Files that copy and compare data: they race against nobody, so two may run at once. */
const copying = ['backup', 'drillBackups', 'dumps', 'loadDump', 'restore'].map(
  name => `test/integration/${name}.integration.test.ts`,
);

/**
 * Projects, told apart by suffix: `*.unit.test.ts` stands beside its source and touches no server;
 * `*.integration.test.ts` (below test/) starts real servers, so its files run one after the other: most let servers die,
 * and measure who notices in time.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.unit.test.ts', 'test/**/*.unit.test.ts'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/**/*.integration.test.ts'],
          exclude: copying,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          ...patient,
        },
      },
      { test: { name: 'copying', include: copying, maxWorkers: 2, sequence: { groupOrder: 2 }, ...patient } },
    ],
  },
});
