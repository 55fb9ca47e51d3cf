import type { Socket } from 'node:net';
import type { KubeClient } from '../api/client.ts';
import { type AttachedProcess, attach, type ExecTarget } from '../api/exec.ts';
import { SOCKET_DIRECTORY } from '../objects/layout.ts';
import { POSTGRES_PORT } from '../objects/names.ts';
import { FrameReader, frameOf, KIND } from './relayFrames.ts';

/** A relay that lives answers a new connection within this time, whatever PostgreSQL does. */
const ALIVE_MS = 3_000;

/**
 * Runs in the pod, with the Python that Patroni brings along: connections to PostgreSQL's Unix socket, many over one
 * standard input and output. Ends with its input. Frames as in relayFrames.ts.
 */
const PROGRAM = `
import os, selectors, socket, struct, sys
path = sys.argv[1]
OPEN, DATA, CLOSE = 0, 1, 2
selector = selectors.DefaultSelector()
sockets = {}

def tell(kind, number, data=b''):
    frame = struct.pack('>BII', kind, number, len(data)) + data
    while frame:
        frame = frame[os.write(1, frame):]

def close(number):
    connection = sockets.pop(number, None)
    if connection is not None:
        selector.unregister(connection)
        connection.close()
        tell(CLOSE, number)

def take(kind, number, data):
    if kind == OPEN:
        tell(OPEN, number)
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(1)
        try:
            connection.connect(path)
        except OSError:
            connection.close()
            tell(CLOSE, number)
            return
        sockets[number] = connection
        selector.register(connection, selectors.EVENT_READ, number)
    elif kind == CLOSE:
        close(number)
    elif number in sockets:
        try:
            sockets[number].sendall(data)
        except OSError:
            close(number)

pending = b''
selector.register(0, selectors.EVENT_READ, None)
while True:
    for key, _ in selector.select():
        if key.data is None:
            chunk = os.read(0, 65536)
            if not chunk:
                sys.exit(0)
            pending += chunk
            while len(pending) >= 9:
                kind, number, length = struct.unpack('>BII', pending[:9])
                if len(pending) < 9 + length:
                    break
                data, pending = pending[9:9 + length], pending[9 + length:]
                take(kind, number, data)
        elif key.data in sockets:
            try:
                chunk = key.fileobj.recv(65536)
            except OSError:
                chunk = b''
            if chunk:
                tell(DATA, key.data, chunk)
            else:
                close(key.data)
`;

/** Connections into one pod, over one exec. */
export class Relay {
  readonly #locals = new Map<number, Socket>();
  readonly #process: AttachedProcess;
  readonly #over: () => void;
  #next = 1;
  #heardAt = performance.now();

  private constructor(process: AttachedProcess, over: () => void) {
    this.#process = process;
    this.#over = over;
  }

  /** `over` is called once, when it cannot be used any more; all its connections have ended then. */
  static async open(
    client: KubeClient,
    target: ExecTarget,
    { opening, lasting, over }: { opening: AbortSignal; lasting: AbortSignal; over(): void },
  ): Promise<Relay> {
    const reader = new FrameReader();
    const path = `${SOCKET_DIRECTORY}/.s.PGSQL.${POSTGRES_PORT}`;
    let relay: Relay | undefined;
    const onOutput = (data: Buffer, stream: 'stdout' | 'stderr') => {
      if (stream === 'stdout') for (const frame of reader.read(data)) relay?.take(frame);
    };
    const both = AbortSignal.any([opening, lasting]);
    const process = await attach(
      client,
      target,
      ['python3', '-c', PROGRAM, path],
      { withInput: true, onOutput },
      both,
    );
    relay = new Relay(process, over);
    const made = relay;
    lasting.addEventListener('abort', () => made.end(), { once: true });
    process.ended.then(
      () => made.end(),
      () => made.end(),
    );
    return made;
  }

  connect(local: Socket): void {
    const number = this.#next++;
    this.#locals.set(number, local);
    const asked = performance.now();
    this.#process.send(frameOf(KIND.open, number));
    setTimeout(() => {
      if (this.#heardAt < asked) this.end();
    }, ALIVE_MS).unref();
    local.on('data', data => this.#process.send(frameOf(KIND.data, number, data)));
    local.on('close', () => {
      if (this.#locals.delete(number)) this.#process.send(frameOf(KIND.close, number));
    });
    local.resume();
  }

  take({ kind, number, data }: { kind: number; number: number; data: Buffer }): void {
    this.#heardAt = performance.now();
    const local = this.#locals.get(number);
    if (kind === KIND.data) local?.write(data);
    else if (kind === KIND.close) {
      this.#locals.delete(number);
      local?.end();
    }
  }

  end(): void {
    const locals = [...this.#locals.values()];
    this.#locals.clear();
    for (const local of locals) local.destroy();
    void this.#process[Symbol.asyncDispose]();
    this.#over();
  }
}
