import { expect, it } from 'vitest';
import { withoutConnection } from './handler.ts';

it("keeps the caller's session settings and drops what leads elsewhere", () => {
  const env = {
    PATH: '/bin',
    PGHOST: 'elsewhere',
    PGPASSWORD: 'other',
    PGSERVICE: 'x',
    PGSSLMODE: 'disable',
    PGSSLROOTCERT: '/x',
    PGOPTIONS: '-c work_mem=1MB',
    PGAPPNAME: 'me',
    PSQLRC: '/x',
  };
  expect(Object.keys(withoutConnection(env))).toEqual(['PATH', 'PGOPTIONS', 'PGAPPNAME', 'PSQLRC']);
});
