import { constants } from 'node:fs';
import { access, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { endpointWord, stressPage } from '../../drill/stress/page.ts';
import { emptyScript } from '../../drill/stress/prepare.ts';
import { type StressOutcome, stressTest } from '../../drill/stress/stressTest.ts';
import { codeOf, messageOf, RefusedError } from '../../lib/errors.ts';
import { defaultLogin } from '../connection.ts';
import { credentialsOf } from '../credentials.ts';
import { noSuchEndpoint } from '../endpoints.ts';
import { EXIT } from '../failure.ts';
import { InterruptedError } from '../interrupt.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';
import { LiveView } from './live.ts';
import { checkOptions, DEFAULT_SEED, endpointsOf, type StressOptions } from './options.ts';

export interface StressReport extends StressOutcome {
  /** Path of the HTML page. */
  report: string | undefined;
  /** Why it ended early, if it did. */
  ended: unknown;
}

/** Runs the stress test, with its live view on stderr. */
export async function stress(session: Session, name: string, options: StressOptions): Promise<StressReport> {
  checkOptions(options);
  const script = options.script === undefined ? undefined : await readScript(session, options.script);
  const report = options.report === undefined ? undefined : resolve(session.surroundings.cwd, options.report);
  if (report !== undefined) await checkWritable(report);

  const cluster = await openCluster(session, name);
  const endpoints = endpointsOf(options, endpoint => cluster.access.endpoint(endpoint) !== undefined);
  for (const endpoint of endpoints) {
    if (cluster.access.endpoint(endpoint) === undefined)
      throw noSuchEndpoint(cluster, endpointWord(endpoint));
  }
  const login = defaultLogin(cluster.spec, options);
  const { password } = await credentialsOf(cluster, login.user);
  using view = new LiveView(session, name);
  const outcome = await stressTest(
    cluster,
    {
      load: {
        clients: options.clients,
        durationMs: options.duration,
        intervalMs: options.interval,
        writeRatio: options.writeRatio,
        connectEachTime: options.connectEachTime === true,
        script,
      },
      scriptName: options.script,
      endpoints,
      ...login,
      password,
      fill:
        options.fill === undefined ? undefined : { rows: options.fill, seed: options.seed ?? DEFAULT_SEED },
    },
    {
      signal: session.signal,
      progress: message => session.progress.say(message),
      onLive: (endpoint, live) => {
        session.progress.end();
        view.show(endpointWord(endpoint), live);
      },
    },
  );
  if (report !== undefined && outcome.runs.length > 0) await writeFile(report, stressPage(outcome));
  const ended: unknown = session.signal.aborted ? session.signal.reason : undefined;
  return { ...outcome, report: outcome.runs.length > 0 ? report : undefined, ended };
}

/** 0 when everybody was served; an interruption says so, whatever was measured until then. */
export function exitCodeOf({ ended, judgement }: StressReport): number {
  if (ended instanceof InterruptedError) return ended.exitCode;
  if (ended !== undefined) return EXIT.failed;
  return judgement.verdict === 'passed' ? EXIT.done : EXIT.degraded;
}

async function readScript(session: Session, file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(resolve(session.surroundings.cwd, file), 'utf8');
  } catch (cause) {
    throw new RefusedError({
      code: 'script-unreadable',
      message: `${file} cannot be read (${codeOf(cause) ?? messageOf(cause)})`,
      hint: 'name a file with SQL statements',
      cause,
    });
  }
  if (text.trim() === '') throw emptyScript(file);
  return text;
}

/** Before an hour of load, not after it. */
async function checkWritable(path: string): Promise<void> {
  try {
    const there = await stat(path).catch(() => undefined);
    if (there?.isDirectory()) throw Object.assign(new Error('it is a directory'), { code: 'EISDIR' });
    await access(there === undefined ? dirname(path) : path, constants.W_OK);
  } catch (cause) {
    throw new RefusedError({
      code: 'report-unwritable',
      message: `the report cannot be written to ${path} (${codeOf(cause) ?? messageOf(cause)})`,
      hint: 'name a file in a directory that exists and that you may write to',
      cause,
    });
  }
}
