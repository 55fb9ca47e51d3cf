import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Made, makeSurroundings, NOW, Recorder } from '../../test/cli/surroundings.ts';
import { DeadlineError } from '../lib/errors.ts';
import { Interrupt, InterruptedError, ReaderGoneError } from './interrupt.ts';
import { Output } from './output.ts';
import { Progress, type ProgressMode } from './progress.ts';

describe('progress', () => {
  beforeEach(() => void vi.useFakeTimers({ now: NOW }));
  afterEach(() => void vi.useRealTimers());

  function make(mode: ProgressMode): { progress: Progress; output: Output; stderr: Recorder } {
    const stderr = new Recorder();
    stderr.columns = 30;
    const output = new Output(new Recorder(), stderr, true);
    return { progress: new Progress(output, mode, () => new Date()), output, stderr };
  }

  it('prints a line per message with the seconds since the start, repeats none, and shows that it is alive', () => {
    const { progress, stderr } = make('lines');
    progress.say('one');
    vi.advanceTimersByTime(1_500);
    progress.say('one');
    progress.say('two');
    vi.advanceTimersByTime(15_000);
    progress.end();
    vi.advanceTimersByTime(60_000);
    expect(stderr.text).toBe('[ 0.0 s] one\n[ 1.5 s] two\n[  17 s] still: two\n');
  });

  it('keeps one line on a terminal, no wider than it, and takes it away at the end', () => {
    const { progress, output, stderr } = make('live');
    progress.say('a message that is far too long for this terminal');
    expect(stderr.text).toBe('\r\u001b[K/ 0.0 s  a message that is fa');
    stderr.text = '';
    output.note('kept');
    expect(stderr.text.startsWith('\r\u001b[Kkept\n\r\u001b[K')).toBe(true);
    expect(stderr.text).toMatch(/0\.0 s {2}a message/);
    stderr.text = '';
    progress.end();
    expect(stderr.text).toBe('\r\u001b[K');
    output.note('after');
    expect(stderr.text).toBe('\r\u001b[Kafter\n');
  });

  it('leaves finished steps behind on a terminal, and failed ones everywhere', () => {
    const live = make('live');
    live.progress.step('start etcd', 'started', 0);
    live.progress.step('start etcd', 'done', 300);
    expect(live.stderr.text).toContain('+ start etcd (0.3 s)\n');
    const lines = make('lines');
    lines.progress.step('start etcd', 'started', 0);
    lines.progress.step('start etcd', 'failed', 300);
    expect(lines.stderr.text).toBe('[ 0.0 s] start etcd\n[ 0.0 s] failed: start etcd\n');
  });

  it('says nothing when nobody looks', () => {
    const { progress, stderr } = make('none');
    progress.say('one');
    progress.step('two', 'failed', 1);
    progress.end();
    expect(stderr.text).toBe('');
  });
});

describe('interrupt', () => {
  function make(announce = true): { made: Made; output: Output; interrupt: Interrupt } {
    const made = makeSurroundings({ terminal: true });
    const output = new Output(made.stdout, made.stderr, true);
    return { made, output, interrupt: new Interrupt(made.surroundings, output, announce) };
  }

  it('stops in order at the first Ctrl-C, and at once at the second', () => {
    const { made, interrupt } = make();
    made.send('SIGINT');
    expect(interrupt.signal.reason).toBeInstanceOf(InterruptedError);
    expect(made.stderr.text).toContain('Ctrl-C again');
    expect(made.exits).toEqual([]);
    made.send('SIGINT');
    expect(made.exits).toEqual([130]);
  });

  it('leaves Ctrl-C to the program in the foreground, but not TERM', () => {
    const { made, interrupt } = make();
    interrupt.handOver();
    made.send('SIGINT');
    expect(interrupt.signal.aborted).toBe(false);
    made.send('SIGTERM');
    expect(interrupt.signal.reason).toMatchObject({ exitCode: 143 });
  });

  it('says nothing where the end takes no time', () => {
    const { made } = make(false);
    made.send('SIGINT');
    expect(made.stderr.text).toBe('');
  });

  it('listens no longer than the command runs', () => {
    const { made, interrupt } = make();
    interrupt[Symbol.dispose]();
    made.send('SIGINT');
    expect(interrupt.signal.aborted).toBe(false);
  });

  it('ends the command at its deadline', () => {
    vi.useFakeTimers();
    const { interrupt } = make();
    interrupt.limit('pgherd up', 2_000);
    vi.advanceTimersByTime(2_000);
    vi.useRealTimers();
    expect(interrupt.signal.reason).toBeInstanceOf(DeadlineError);
  });

  it('ends the command when its reader went away, and writes no more', () => {
    const { made, output, interrupt } = make();
    output.result('one');
    made.stdout.close();
    output.result('two');
    expect(made.stdout.text).toBe('one\n');
    expect(interrupt.signal.reason).toBeInstanceOf(ReaderGoneError);
  });
});
