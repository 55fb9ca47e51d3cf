/** The CLI run in this process: what it would write, and a platform that exists in memory only. */
import { Readable } from 'node:stream';
import { runCli } from '../../src/cli/run.ts';
import type { Adapters, SetupReport, SignalName, Sink, Surroundings } from '../../src/cli/surroundings.ts';
import type { Platform } from '../../src/platform/contract.ts';

export const NOW = new Date('2026-01-01T00:00:10.000Z');

/** A stream that remembers. */
export class Recorder implements Sink {
  text = '';
  isTTY: boolean | undefined;
  columns: number | undefined;
  rows: number | undefined;
  private listener: (error: Error) => void = () => {};

  write(text: string, done?: () => void): boolean {
    this.text += text;
    done?.();
    return true;
  }

  on(_event: 'error', listener: (error: Error) => void): void {
    this.listener = listener;
  }

  once(): void {}

  off(): void {}

  /** The reader goes away. */
  close(): void {
    this.listener(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  }
}

export interface Made {
  surroundings: Surroundings;
  stdout: Recorder;
  stderr: Recorder;
  /** Codes that the CLI wanted to exit with on the spot. */
  exits: number[];
  send(name: SignalName): void;
}

interface Options {
  argv?: readonly string[];
  env?: Record<string, string>;
  input?: string;
  terminal?: boolean;
  platform?: Platform;
  setup?: SetupReport;
}

const NO_SETUP: SetupReport = { ready: true, found: [], missing: [], notes: [] };

export function makeSurroundings(options: Options = {}): Made {
  const stdout = new Recorder();
  const stderr = new Recorder();
  stdout.isTTY = stderr.isTTY = options.terminal === true;
  const listeners = new Map<SignalName, () => void>();
  const exits: number[] = [];
  const adapters: Adapters = {
    platform: async () => options.platform ?? Promise.reject(new Error('no platform')),
    kubernetes: async () => Promise.reject(new Error('no Kubernetes')),
    keeper: async () => {},
    operator: async () => {},
    setup: { inspect: async () => options.setup ?? NO_SETUP, install: async () => options.setup ?? NO_SETUP },
    defaultStateDir: () => '/state',
    versions: async () => ({ pgherd: '1.2.3', node: '24.0.0' }),
  };
  const surroundings: Surroundings = {
    argv: options.argv ?? [],
    env: options.env ?? {},
    cwd: '/work',
    program: 'pgherd',
    stdin: Object.assign(Readable.from([options.input ?? '']), { isTTY: options.terminal === true }),
    stdout,
    stderr,
    now: () => NOW,
    onSignal(name, listener) {
      listeners.set(name, listener);
      return () => void listeners.delete(name);
    },
    exitNow: code => void exits.push(code),
    adapters,
    launch: { node: process.execPath, main: 'main.ts' },
  };
  return { surroundings, stdout, stderr, exits, send: name => listeners.get(name)?.() };
}

export interface Ran {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs one command line to its end. */
export async function runInMemory(
  argv: readonly string[],
  options: Omit<Options, 'argv'> = {},
): Promise<Ran> {
  const { surroundings, stdout, stderr } = makeSurroundings({ ...options, argv });
  const exitCode = await runCli(surroundings);
  return { exitCode, stdout: stdout.text, stderr: stderr.text };
}
