import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { UNFINISHED_MARK } from './needs.ts';
import type { ToolsReport } from './tools.ts';

/**
 * A report that found everything, kept beside the tools. Asking every program for its version costs about
 * half a second; whether anything changed since shows in a few files' times and sizes.
 */
interface Memory {
  fingerprint: string;
  report: ToolsReport;
}

/** What was asked for. */
interface Wish {
  toolsDir: string;
  majorWanted?: number | undefined;
  isolation?: boolean | undefined;
}

/** Raise it when the meaning of a report changes. */
const FORMAT = 4;

/** The last report for this wish, if nothing that it rests on has changed. */
export async function recall(wish: Wish): Promise<ToolsReport | undefined> {
  try {
    const memory = JSON.parse(await readFile(fileOf(wish), 'utf8')) as Memory;
    return memory.fingerprint === (await fingerprint(memory.report)) ? memory.report : undefined;
  } catch {
    // Absent, cut short or unreadable: all the same, everything is asked again.
    return undefined;
  }
}

/** Keeps a report. Where toolsDir cannot be written it is not kept, which costs time only. */
export async function remember(report: ToolsReport): Promise<void> {
  const file = fileOf(report);
  const memory: Memory = { fingerprint: await fingerprint(report), report };
  try {
    await writeFile(`${file}.${process.pid}`, JSON.stringify(memory), { mode: 0o644 });
    await rename(`${file}.${process.pid}`, file);
  } catch {
    return;
  }
}

function fileOf({ toolsDir, majorWanted, isolation }: Wish): string {
  return `${toolsDir}/inspected-${FORMAT}-${majorWanted ?? 'any'}${isolation === true ? '-isolation' : ''}.json`;
}

/** Changes whenever packages are installed or removed, the sources or their lists change, or a program does. */
async function fingerprint({ toolsDir, tools, majorWanted, wantedMissing }: ToolsReport): Promise<string> {
  const paths = [UNFINISHED_MARK, '/var/lib/dpkg/status', '/usr/lib/postgresql', '/usr/bin/python3'];
  if (tools) {
    const { etcd, pgbouncer, haproxy, pgbackrest, tini, flock, openssl } = tools;
    paths.push(...[etcd, pgbouncer, haproxy, pgbackrest, tini, flock, openssl].map(program => program.path));
    paths.push(...Object.values(tools.isolation ?? {}));
    paths.push(`${tools.postgres.binDir}/postgres`, ...Object.values(tools.runit), tools.patroni.prefix);
  }
  // Only then would new sources change the answer.
  if (wantedMissing) paths.push('/var/lib/apt/lists', '/etc/apt/sources.list', '/etc/apt/sources.list.d');
  const marks = await Promise.all(
    paths.map(path =>
      stat(path).then(
        s => `${path} ${s.ino} ${s.size} ${s.mtimeMs}`,
        () => `${path} -`,
      ),
    ),
  );
  return [FORMAT, toolsDir, majorWanted, ...marks].join('\n');
}
