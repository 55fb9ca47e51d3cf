import { defineConfig } from 'vitest/config';

/**
 * Two projects, told apart by suffix: `*.unit.test.ts` stands beside its source and touches no server;
 * `*.integration.test.ts` (below test/) starts real servers, so its files run one after the other.
 */
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['src/**/*.unit.test.ts', 'test/**/*.unit.test.ts'] } },
      {
        test: {
          name: 'integration',
          include: ['test/**/*.integration.test.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
