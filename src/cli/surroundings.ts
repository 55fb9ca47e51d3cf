import type { ApplyContext, Platform } from '../platform/contract.ts';

/** A stream that text is written to: process.stdout, or a test's recorder. */
export interface Sink {
  write(text: string, done?: () => void): boolean;
  on(event: 'error', listener: (error: Error) => void): unknown;
  once(event: 'drain', listener: () => void): unknown;
  off(event: 'drain', listener: () => void): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
  rows?: number | undefined;
}

export type SignalName = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** What the composition root hands to the CLI: everything that is not a pure function of the arguments. */
export interface Surroundings {
  /** Without the interpreter and the script. */
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** How the user called pgherd; the commands we suggest begin with it. */
  program: string;
  stdin: NodeJS.ReadableStream & { isTTY?: boolean | undefined };
  stdout: Sink;
  stderr: Sink;
  now(): Date;
  /** Calls the listener at each such signal until the result is called. */
  onSignal(name: SignalName, listener: () => void): () => void;
  /** Ends the process without waiting for anything. */
  exitNow(code: number): void;
  adapters: Adapters;
  /** Runs this program again: the interpreter and its script. */
  launch: { node: string; main: string };
}

/** What only the composition root may build. Each is loaded when it is first used. */
export interface Adapters {
  platform(options: { stateDir: string; onSetup(message: string): void }): Promise<Platform>;
  /** Clusters that an operator runs on Kubernetes. `namespace` undefined: of all namespaces. */
  kubernetes(options: KubernetesWish & { stateDir: string }): Promise<Platform>;
  /** The resident control plane: runs until the signal aborts. `report` gets a line for each trouble. */
  keeper(
    platform: Platform,
    options: { stateDir: string; signal: AbortSignal; report(line: string): void },
  ): Promise<void>;
  /** The operator on Kubernetes: runs until the signal aborts. `report` gets a line for what happens. */
  operator(options: OperatorWish): Promise<void>;
  setup: SetupAdapter;
  /** Where state lies unless the user says otherwise. */
  defaultStateDir(): string;
  versions(): Promise<{ pgherd: string; node: string }>;
}

export interface KubernetesWish {
  kubeconfig: string | undefined;
  context: string | undefined;
  namespace: string | undefined;
}

/** `namespace` is that of the Lease, and of the clusters unless the configuration names others; undefined: the context's. */
export interface OperatorWish extends KubernetesWish {
  configFile: string | undefined;
  metricsPort: number;
  signal: AbortSignal;
  report(line: string): void;
}

export interface SetupReport {
  ready: boolean;
  /** Name and version of what is there, in the order they are shown. */
  found: { name: string; version: string | undefined }[];
  missing: { tool: string; package: string | undefined }[];
  notes: readonly string[];
}

export interface SetupWish {
  stateDir: string;
  /** Major version of PostgreSQL; undefined leaves it to what is there. */
  majorWanted: number | undefined;
}

export interface SetupAdapter {
  /** Changes nothing. */
  inspect(wish: SetupWish, signal: AbortSignal): Promise<SetupReport>;
  /** Installs what is missing. */
  install(wish: SetupWish, context: ApplyContext): Promise<SetupReport>;
}
