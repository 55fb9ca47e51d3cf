/**
 * Signs of life of whoever has broken something: the register is renewed as long as it has an entry of his. Nobody can
 * tell from elsewhere whether a process runs, nor trust its clock; that the register changes, everybody can see.
 */

const EVERY_MS = 3_000;
/** Whoever has given no sign for so long has died. [D] some signs may get lost, and the API server may be away. */
const SILENT_MS = 20_000;

export class SignsOfLife {
  readonly #renew: () => Promise<void>;
  readonly #standing = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(renew: () => Promise<void>) {
    this.#renew = renew;
  }

  begin(id: string): void {
    this.#standing.add(id);
    // One that gets lost is made up for by the next.
    this.#timer ??= setInterval(() => void this.#renew().catch(() => {}), EVERY_MS).unref();
  }

  end(id: string): void {
    this.#standing.delete(id);
    if (this.#standing.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** The version of a register, and when it was first seen, by our own clock. */
export interface Sign {
  version: string;
  at: number;
}

export function noteSign(before: Sign | undefined, version: string, now: number): Sign {
  return before?.version === version ? before : { version, at: now };
}

export function isAbandoned({ at }: Sign, now: number): boolean {
  return now - at > SILENT_MS;
}
