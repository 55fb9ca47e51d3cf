/** One dump that is being made: the tools' runs, and the look at what they wrote. */
import { chmod, mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import {
  type DumpContents,
  type DumpedFile,
  type DumpFormat,
  dumpFileNames,
  type StoredDump,
} from '../../../../core/schedule/dump.ts';
import { Session } from '../../../../engine/postgres/connection.ts';
import {
  DATABASES_SQL,
  dumpArguments,
  GLOBALS_END,
  globalsArguments,
  PLAIN_END,
  TABLES_SQL,
} from '../../../../engine/postgres/dump.ts';
import { PgherdError } from '../../../../lib/errors.ts';
import { run } from '../../../../lib/exec.ts';
import type { ApplyContext, DumpInProgress, InsideTarget } from '../../../contract.ts';
import { syncDirectory } from '../place.ts';
import { describeDump, digest, endsWith } from './store.ts';

/** The longest that one database may take. */
const DUMP_MS = 24 * 3_600_000;
const STATEMENT_MS = 60_000;
const WATCH_MS = 2000;
/** A tool whose caller was killed would hold its snapshot, and vacuum, for hours. */
const DIES_WITH_US = ['/usr/bin/setpriv', '--pdeathsig', 'KILL', '--'] as const;

/** What a dump needs of its cluster. */
export interface DumpSource {
  cluster: { uid: string; name: string; namespace: string };
  postgres: { major: number; version: string; binDir: string };
  /** Where the primary can be reached without a password. */
  primary(signal: AbortSignal): Promise<InsideTarget>;
}

/** Where it is made, which must not exist yet, and where it appears when it is complete. */
interface Places {
  id: string;
  partial: string;
  final: string;
  context: ApplyContext;
}

const factRows = z.array(
  z.object({ name: z.string(), owner: z.string(), encoding: z.string(), bytes: z.number() }),
);
const tableRows = z.array(z.object({ tables: z.number() }));

type Facts = z.infer<typeof factRows>[number];

/** A dump that is being made, in a directory that nobody takes for a complete one. */
export class RunningDump implements DumpInProgress {
  readonly databases: string[];
  readonly #input: DumpSource;
  readonly #place: Places;
  readonly #context: ApplyContext;
  readonly #target: InsideTarget;
  readonly #facts: Map<string, Facts>;
  #sealed = false;

  private constructor(input: DumpSource, place: Places, target: InsideTarget, facts: Facts[]) {
    this.#input = input;
    this.#place = place;
    this.#context = place.context;
    this.#target = target;
    this.#facts = new Map(facts.map(fact => [fact.name, fact]));
    this.databases = facts.map(({ name }) => name);
  }

  static async begin(input: DumpSource, place: Places): Promise<RunningDump> {
    const { signal } = place.context;
    const target = await input.primary(signal);
    await using session = await connect(target, 'postgres', signal);
    const facts = factRows.parse(await session.query(DATABASES_SQL));
    await mkdir(place.partial, { mode: 0o700 });
    return new RunningDump(input, place, target, facts);
  }

  async database(name: string, format: DumpFormat): Promise<DumpedFile> {
    const { signal } = this.#context;
    const file = dumpFileNames(this.databases, format).get(name);
    const facts = this.#facts.get(name);
    if (file === undefined || facts === undefined) throw new Error(`no database ${name}`);
    const path = join(this.#place.partial, file);
    const { major } = this.#input.postgres;
    await this.#run(`dumping ${name}`, path, [
      this.#program('pg_dump'),
      ...dumpArguments(this.#connection, name, { format, file: path, major }),
    ]);
    // Both read what was written: a dump that its own tool cannot read is none.
    if (format === 'custom')
      await run([this.#program('pg_restore'), '--list', path], {
        signal,
        timeoutMs: DUMP_MS,
        maxOutputBytes: 1024,
      });
    else if (!(await endsWith(path, PLAIN_END))) throw cutOff(file);
    await using session = await connect(this.#target, name, signal);
    const [row] = tableRows.parse(await session.query(TABLES_SQL));
    this.#context.progress(`reading ${file} again`);
    return {
      file,
      holds: 'database',
      database: name,
      ...(await digest(path, signal)),
      owner: facts.owner,
      encoding: facts.encoding,
      databaseBytes: facts.bytes,
      tables: row?.tables ?? 0,
    };
  }

  async globals(): Promise<DumpedFile> {
    const file = 'globals.sql';
    const path = join(this.#place.partial, file);
    await this.#run('dumping roles', path, [
      this.#program('pg_dumpall'),
      ...globalsArguments(this.#connection, path),
    ]);
    if (!(await endsWith(path, GLOBALS_END))) throw cutOff(file);
    return { file, holds: 'globals', ...(await digest(path, this.#context.signal)) };
  }

  async seal(summary: Pick<DumpContents, 'startedAt' | 'endedAt' | 'format' | 'files'>): Promise<StoredDump> {
    const { cluster, postgres } = this.#input;
    const { id, partial, final } = this.#place;
    const contents = {
      schema: 1 as const,
      uid: cluster.uid,
      cluster: cluster.name,
      namespace: cluster.namespace,
      id,
      postgres: postgres.version,
      ...summary,
    };
    await describeDump(partial, contents);
    await rename(partial, final);
    this.#sealed = true;
    await syncDirectory(join(final, '..'));
    return { id, path: final, own: true, contents };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#sealed) await rm(this.#place.partial, { recursive: true, force: true });
  }

  get #connection(): { host: string; port: number; user: string } {
    const { socketDirectory: host, port, user } = this.#target;
    return { host, port, user };
  }

  #program(name: string): string {
    return join(this.#input.postgres.binDir, name);
  }

  /** Runs a tool that writes to a file, and tells now and then how far it has come. */
  async #run(what: string, file: string, argv: [string, ...string[]]): Promise<void> {
    const { signal, progress } = this.#context;
    progress(what);
    const watch = setInterval(() => {
      void stat(file)
        .then(({ size }) => progress(`${what}: ${Math.round(size / 1024 / 1024)} MB written`))
        .catch(() => {});
    }, WATCH_MS);
    try {
      await run([...DIES_WITH_US, ...argv], {
        signal,
        timeoutMs: DUMP_MS,
        env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8' },
      });
      await chmod(file, 0o600);
    } finally {
      clearInterval(watch);
    }
  }
}

async function connect(
  { socketDirectory: host, port, user }: InsideTarget,
  database: string,
  signal: AbortSignal,
): Promise<Session> {
  const target = { host, port, database, user, password: '', ca: undefined, timeoutMs: STATEMENT_MS };
  return await Session.open(target, signal);
}

function cutOff(file: string): PgherdError {
  return new PgherdError({
    code: 'dump-cut-off',
    message: `${file} does not end as a dump ends`,
    hint: 'look at the place that dumps are written to',
  });
}
