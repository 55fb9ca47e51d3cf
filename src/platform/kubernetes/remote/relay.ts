import type { Socket } from 'node:net';
import type { KubeClient } from '../api/client.ts';
import { type AttachedProcess, attach, type ExecTarget } from '../api/exec.ts';
import { type Frame, FrameReader, frameOf, KIND } from './relayFrames.ts';

/** A relay that lives answers a new connection within this time, whatever stands behind it. */
const ALIVE_MS = 5_000;
/** As much may be on its way to the pod before we read on from a client. */
const UNSENT_BYTES = 256 * 1024;

/**
 * Runs in the pod, with the Python that Patroni brings along: many connections from there over one standard input and
 * output. Ends with its input. Frames as in relayFrames.ts; what a server does not take yet waits here, and the input
 * then, so that memory does not grow.
 */
const PROGRAM = `
import os, selectors, socket, struct, sys
OPEN, DATA, CLOSE = 0, 1, 2
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
MOST = 1 << 20
selector = selectors.DefaultSelector()
connections = {}
waiting = 0
listening = True

class Connection:
    def __init__(self, number, address):
        unix = address.startswith('/')
        self.number, self.pending, self.up = number, bytearray(), False
        self.socket = socket.socket(socket.AF_UNIX if unix else socket.AF_INET6 if ':' in address else socket.AF_INET)
        self.socket.setblocking(False)
        host, _, port = address.rpartition(' ')
        failed = self.socket.connect_ex(address if unix else (host, int(port)))
        if failed not in (0, 115):
            self.socket.close()
            raise OSError(failed, 'not connected')
        if not unix:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(self.socket, WRITE, self)
        connections[number] = self

    def close(self):
        global waiting
        waiting -= len(self.pending)
        del connections[self.number]
        selector.unregister(self.socket)
        self.socket.close()
        tell(CLOSE, self.number)

    def add(self, data):
        global waiting
        self.pending += data
        waiting += len(data)
        self.write()

    def write(self):
        global waiting
        if self.up and self.pending:
            try:
                sent = self.socket.send(self.pending)
            except BlockingIOError:
                sent = 0
            del self.pending[:sent]
            waiting -= sent
        selector.modify(self.socket, READ | WRITE if self.pending or not self.up else READ, self)

    def ready(self, mask):
        if mask & WRITE:
            if not self.up and self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                return self.close()
            self.up = True
            self.write()
        if mask & READ:
            data = self.socket.recv(65536)
            if not data:
                return self.close()
            tell(DATA, self.number, data)

def tell(kind, number, data=b''):
    frame = struct.pack('>BII', kind, number, len(data)) + data
    while frame:
        frame = frame[os.write(1, frame):]

def guarded(number, act):
    try:
        act()
    except OSError:
        if number in connections:
            connections[number].close()
        else:
            tell(CLOSE, number)

def take(kind, number, data):
    if kind == OPEN:
        tell(OPEN, number)
        guarded(number, lambda: Connection(number, data.decode()))
    elif number in connections:
        known = connections[number]
        guarded(number, known.close if kind == CLOSE else lambda: known.add(data))

arrived = b''
selector.register(0, READ, None)
while True:
    if listening != (waiting < MOST):
        listening = not listening
        selector.register(0, READ, None) if listening else selector.unregister(0)
    for key, mask in selector.select():
        known = key.data
        if known is not None:
            if connections.get(known.number) is known:
                guarded(known.number, lambda: known.ready(mask))
            continue
        chunk = os.read(0, 65536)
        if not chunk:
            sys.exit(0)
        arrived += chunk
        while len(arrived) >= 9:
            kind, number, length = struct.unpack('>BII', arrived[:9])
            if len(arrived) < 9 + length:
                break
            data, arrived = arrived[9:9 + length], arrived[9 + length:]
            take(kind, number, data)
`;

/** Connections into one pod, over one exec. */
export class Relay {
  readonly #locals = new Map<number, Socket>();
  readonly #process: AttachedProcess;
  readonly #over: () => void;
  #next = 1;
  #heardAt = performance.now();
  #ended = false;

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
    let relay: Relay | undefined;
    const onOutput = (data: Buffer, stream: 'stdout' | 'stderr') => {
      if (stream === 'stdout') for (const frame of reader.read(data)) relay?.take(frame);
    };
    const both = AbortSignal.any([opening, lasting]);
    const process = await attach(
      client,
      target,
      ['python3', '-c', PROGRAM],
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

  /** Connects a socket with an address as the pod sees it: a path, or "host port". The end of either ends the other. */
  connect(local: Socket, address: string): void {
    const number = this.#next++;
    this.#locals.set(number, local);
    const asked = performance.now();
    this.#process.send(frameOf(KIND.open, number, Buffer.from(address)));
    setTimeout(() => {
      if (this.#heardAt < asked && !this.#ended) this.end();
    }, ALIVE_MS).unref();
    local.on('data', data => {
      this.#process.send(frameOf(KIND.data, number, data), () => {
        if (this.#process.unsent < UNSENT_BYTES) local.resume();
      });
      if (this.#process.unsent >= UNSENT_BYTES) local.pause();
    });
    local.on('drain', () => this.#process.hold(false));
    local.on('close', () => {
      this.#process.hold(false);
      if (this.#locals.delete(number)) this.#process.send(frameOf(KIND.close, number));
    });
    local.resume();
  }

  take({ kind, number, data }: Frame): void {
    this.#heardAt = performance.now();
    const local = this.#locals.get(number);
    if (local === undefined) return;
    if (kind === KIND.data && !local.write(data)) this.#process.hold(true);
    else if (kind === KIND.close) {
      this.#locals.delete(number);
      local.end();
    }
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const locals = [...this.#locals.values()];
    this.#locals.clear();
    for (const local of locals) local.destroy();
    void this.#process[Symbol.asyncDispose]();
    this.#over();
  }
}
