/** The processes of a member, looked up and struck inside its container by the Python that Patroni brings along. */
import type { ProcessName } from '../../../../core/drill/fault.ts';
import { roleInTitle, SENDER, VICTIM } from '../../../../engine/postgres/processes.ts';
import { PgherdError } from '../../../../lib/errors.ts';
import type { ProcessId } from '../../../../lib/process.ts';
import type { ExecResult } from '../../api/exec.ts';
import { DATA_DIRECTORY, PATRONI_FILE } from '../../objects/layout.ts';

/** Runs a command in a pod's container of ours to its end. */
export type RunInside = (pod: string, words: readonly string[], signal: AbortSignal) => Promise<ExecResult>;

/** The process was not there any more. */
export class ProcessEndedError extends PgherdError {}

interface FoundProcess extends ProcessId {
  parent: number;
  title: string;
}

export interface Processes {
  /** Number in PostgreSQL's own file. */
  postmaster: number | undefined;
  all: FoundProcess[];
}

const LIST = `
import json, os, sys
found = []
for pid in filter(str.isdigit, os.listdir('/proc')):
    try:
        stat = open('/proc/%s/stat' % pid).read()
        fields = stat[stat.rindex(')') + 2:].split(' ')
        title = open('/proc/%s/cmdline' % pid, 'rb').read().replace(bytes(1), b' ').decode(errors='replace').strip()
        if fields[0] not in 'ZX':
            found.append({'pid': int(pid), 'parent': int(fields[1]), 'startTime': fields[19], 'title': title})
    except (OSError, ValueError):
        pass
try:
    postmaster = int(open(sys.argv[1] + '/postmaster.pid').readline())
except (OSError, ValueError):
    postmaster = None
print(json.dumps({'postmaster': postmaster, 'all': found}))
`;

/** Only the process that was meant, not a later one of its number. */
const STRIKE = `
import os, sys
ENDED = 3
pid, started, signal = sys.argv[1:]
try:
    stat = open('/proc/%s/stat' % pid).read()
except OSError:
    sys.exit(ENDED)
if stat[stat.rindex(')') + 2:].split(' ')[19] != started:
    sys.exit(ENDED)
os.kill(int(pid), int(signal))
`;

const ENDED = 3;
const NUMBERS = { KILL: 9, CONT: 18, STOP: 19 };

export async function listProcesses(run: RunInside, member: string, signal: AbortSignal): Promise<Processes> {
  const text = await mustRun(run, member, ['python3', '-c', LIST, DATA_DIRECTORY], signal);
  const { postmaster, all } = JSON.parse(text) as { postmaster: number | null; all: FoundProcess[] };
  const runs = all.some(({ pid, title }) => pid === postmaster && title.includes(DATA_DIRECTORY));
  return { postmaster: runs ? (postmaster ?? undefined) : undefined, all };
}

/** Runs a command that has to succeed; resolves with what it printed. */
export async function mustRun(
  run: RunInside,
  pod: string,
  words: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const { code, stdout, stderr } = await run(pod, words, signal);
  if (code === 0) return stdout;
  throw new PgherdError({
    code: 'inside-failed',
    message: `${words[0]} in the pod ${pod} failed (exit code ${code})`,
    detail: stderr.trim().slice(-1000),
  });
}

/** Rejects with ProcessEndedError when there is no such process any more. */
export async function strike(
  run: RunInside,
  member: string,
  { pid, startTime }: ProcessId,
  name: keyof typeof NUMBERS,
  signal: AbortSignal,
): Promise<void> {
  const words = ['python3', '-c', STRIKE, String(pid), startTime, String(NUMBERS[name])];
  const { code, stderr } = await run(member, words, signal);
  if (code === 0) return;
  const what = `SIG${name} to process ${pid} in the pod ${member}`;
  const facts = { code: 'not-struck', message: `could not send ${what}`, detail: stderr.trim().slice(-1000) };
  if (code !== ENDED) throw new PgherdError(facts);
  throw new ProcessEndedError({ ...facts, detail: 'it ended before that' });
}

/** The process of a member that a fault means; undefined: it has none now. */
export async function findProcess(
  run: RunInside,
  { cluster, member }: { cluster: string; member: string },
  name: ProcessName,
  signal: AbortSignal,
): Promise<ProcessId | undefined> {
  const { postmaster, all } = await listProcesses(run, member, signal);
  const children = all.filter(({ parent }) => postmaster !== undefined && parent === postmaster);
  const chosen = async (query: string) => {
    const words = ['psql', '-XAtq', '-U', 'postgres', '-d', 'postgres', '-c', query];
    const pids = (await mustRun(run, member, words, signal))
      .split('\n')
      .map(line => Number(line.split('|')[0]));
    const alive = pids.map(pid => children.find(child => child.pid === pid));
    return alive.find(child => child !== undefined);
  };
  switch (name) {
    case 'patroni':
      // Its parent is the container's first process, which only reaps.
      return all.find(({ parent, title }) => parent === 1 && title.includes(PATRONI_FILE));
    case 'postmaster':
      return all.find(({ pid }) => pid === postmaster);
    case 'backend':
      return chosen(VICTIM);
    case 'walsender':
      return chosen(SENDER);
    default:
      return children.find(({ title }) => roleInTitle(title, cluster) === name);
  }
}

export function noSuchProcess(name: ProcessName, member: string): PgherdError {
  return new PgherdError({
    code: 'no-such-process',
    message: name === 'backend' ? `no client has a session on ${member}` : `${member} has no ${name} now`,
    hint: 'the cluster has to be whole before it is broken: see `pgherd status`',
  });
}
