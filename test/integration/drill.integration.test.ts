/** Drills on a real cluster: what they find, what they refuse, and that nothing stays broken. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DrillCleanDocument, DrillDocument, DrillListDocument } from '../../src/cli/drill/schema.ts';
import { checkLedger } from '../../src/core/drill/check.ts';
import { sha256 } from '../../src/drill/load/client.ts';
import { LedgerLoad } from '../../src/drill/load/ledgerLoad.ts';
import { loadPaths } from '../../src/drill/load/paths.ts';
import { prepareLedger, readLedgers } from '../../src/drill/run/ledgers.ts';
import { createLocalPlatform } from '../../src/platform/local/index.ts';
import { Cluster } from '../support/cluster.ts';
import { manifest } from '../support/manifest.ts';
import { eventually } from '../support/poll.ts';
import { integration } from '../support/sandbox.ts';

const LOGIN = { user: 'bauer', database: 'firmendaten' };
const SIGNAL = AbortSignal.timeout(600_000);

integration('drills', sandbox => {
  const cluster = new Cluster(sandbox, 'uebung');
  const spec = { enableConnectionPooler: true, enableReplicaConnectionPooler: true };
  const file = sandbox.file('uebung.yaml', manifest({ name: 'uebung', instances: 3, spec }));
  beforeAll(async () => {
    await cluster.up(file);
  });

  /** One drill; that a promise is broken (exit code 1) is for the test to judge. */
  async function drill(fault: string, ...more: string[]) {
    const words = ['drill', 'uebung', fault, '--yes-break', 'uebung', ...more];
    const document = await sandbox.json<DrillDocument>(words, { exitCodes: [0, 1], timeoutMs: 170_000 });
    const [run] = document.drills[0]?.runs ?? [];
    if (run === undefined) throw new Error(`no run: ${JSON.stringify(document)}`);
    return { document, run };
  }

  describe('refuses, before anything is touched', () => {
    it('a cluster that is not marked for drills, unless its name is given', async () => {
      const { exitCode, error } = await sandbox.failure(['drill', 'uebung', 'A1']);
      expect(exitCode).toBe(2);
      expect(error).toMatchObject({ code: 'not-confirmed', hint: expect.stringContaining('--allow-drills') });
      const wrong = await sandbox.failure(['drill', 'uebung', 'A1', '--yes-break', 'andere']);
      expect(wrong.error.message).toContain('nothing was touched');
    });

    it.each([
      [['drill', 'uebung', 'Z9', '--yes-break', 'uebung'], 'usage', /Z9/],
      [['drill', 'uebung', '--yes-break', 'uebung'], 'usage', /which fault/],
      [['drill', 'uebung', 'A1', '--all', '--yes-break', 'uebung'], 'usage', /--all/],
      [['drill', 'niemand', 'A1'], 'cluster-not-found', /niemand/],
      [['drill', 'uebung', 'C1', '--yes-break', 'uebung'], 'drill-impossible', /--isolate/],
      [['drill', 'clean'], 'usage', /name of one cluster/],
    ])('%j', async (words, code, message) => {
      const { exitCode, error } = await sandbox.failure(words);
      expect({ exitCode, code: error.code }).toEqual({
        exitCode: code === 'cluster-not-found' ? 1 : 2,
        code,
      });
      expect(error.message).toMatch(message);
    });

    it('lists all faults, with what stands in their way here', async () => {
      const { drills } = await sandbox.json<DrillListDocument>(['drill', '--list', 'uebung']);
      const obstacles = Object.fromEntries(drills.map(({ id, obstacle }) => [id, obstacle]));
      expect(obstacles).toMatchObject({ A1: null, H1: null, C1: expect.stringContaining('--isolate') });
    });
  });

  it.each([
    ['A1', /^SIGKILL to postmaster \d+ of uebung-\d$/],
    ['H1', /pooler/],
    ['A3', /^SIGSTOP to postmaster \d+ of uebung-\d$/],
    ['A6', /^SIGSTOP to .*[Pp]atroni/],
  ])('%s: no acknowledged write is lost, none is acknowledged by two primaries', async (fault, injection) => {
    const { document, run } = await drill(fault);
    expect(document.mode).toBe('sync');
    expect(run.injections).toEqual([expect.stringMatching(injection)]);
    expect(run.acknowledged).toBeGreaterThan(50);
    expect(run).toMatchObject({ lost: 0, dualAcknowledged: 0, phantom: 0, duplicate: 0 });
    expect(run.wholeAfterMs, run.notes.join('\n')).not.toBeNull();
    expect(run.timeline.map(({ event }) => event)).toEqual(expect.arrayContaining(['injected', 'whole']));
    expect(readFileSync(join(run.directory, 'report.html'), 'utf8')).toContain('<svg');
    const history = readFileSync(join(run.directory, 'history.jsonl'), 'utf8').trimEnd().split('\n');
    const acknowledged = history.filter(line => line.startsWith('["e"') && line.includes('"acknowledged"'));
    expect(acknowledged).toHaveLength(run.acknowledged);
  });

  it('undoes its fault when it is killed', async () => {
    const running = sandbox.start(['drill', 'uebung', 'A6', '--yes-break', 'uebung']);
    await eventually('Patroni to stand still', 60_000, () => stopped(cluster).length > 0);
    const registered = readdirSync(join(cluster.root, 'faults')).filter(name => name.endsWith('.json'));
    expect(registered).toHaveLength(1);
    running.child.kill('SIGKILL');
    await running.finished;
    // The control plane finds the fault without an owner.
    await eventually('Patroni to go on', 30_000, () => stopped(cluster).length === 0);
    const clean = await sandbox.json<DrillCleanDocument>(['drill', 'clean', 'uebung']);
    expect(clean.done).toEqual([]);
    await cluster.whole(3);
  });

  it('ends in order when it is interrupted', async () => {
    expect(stopped(cluster)).toEqual([]);
    const running = sandbox.start(['drill', 'uebung', 'A6', '--yes-break', 'uebung']);
    await eventually('Patroni to stand still', 60_000, () => stopped(cluster).length > 0);
    running.child.kill('SIGINT');
    const { exitCode } = await running.finished;
    expect(exitCode).toBe(130);
    expect(stopped(cluster)).toEqual([]);
    await cluster.whole(3);
  });

  it('finds a loss that was planted', async () => {
    const platform = createLocalPlatform({
      stateDir: sandbox.stateDir,
      toolsDir: undefined,
      launch: { node: process.execPath, main: '' },
      onSetup: () => {},
    });
    using opened = await platform.open({ name: 'uebung', namespace: 'default' }, SIGNAL);
    const { members } = await cluster.whole(3);
    const primary = (await cluster.primary()).name;
    await prepareLedger(opened, primary, LOGIN, SIGNAL);
    const historyFile = join(sandbox.root, 'planted.jsonl');
    await using load = new LedgerLoad({
      run: 'planted',
      paths: await loadPaths(opened, { login: LOGIN, ca: cluster.ca, members }),
      historyFile,
    });
    await load.untilAnswered(load.endpointPaths('write'), 30_000, SIGNAL);
    await delay(1_000);
    const { writes } = await load.stop();
    const read = () =>
      readLedgers(opened, members, LOGIN.database, { run: 'planted', whole: true, signal: SIGNAL });
    const sound = checkLedger(writes, await read(), sha256);
    expect(sound.members).toHaveLength(3);
    expect(sound.overall).toMatchObject({ lost: { count: 0 }, foreign: { count: 0 }, holes: { count: 0 } });

    const victim = writes.find(({ outcome, sequence }) => outcome === 'acknowledged' && sequence === 1);
    await using sql = await cluster.connect('primary', LOGIN);
    await sql.rows('DELETE FROM pgherd_drill.ledger WHERE id = $1', [victim?.id]);
    const planted = checkLedger(writes, await read(), sha256);
    expect(planted.overall.lost).toEqual({ count: 1, ids: [victim?.id] });
    expect(planted.members.map(({ lost }) => lost.count)).toEqual([1, 1, 1]);
  });
});

/** Pids of Patroni's processes that stand still (state T). */
function stopped(cluster: Cluster): number[] {
  return readdirSync(join(cluster.root, 'services'))
    .filter(name => name.startsWith(`${cluster.name}-`))
    .flatMap(name => {
      const pid = Number(readFileSync(join(cluster.root, 'services', name, 'supervise', 'pid'), 'utf8'));
      try {
        return /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')) ? [pid] : [];
      } catch {
        return [];
      }
    });
}
