/** Many connections over one stream of bytes: kind, number of the connection, length (big-endian), data. */

export const KIND = { open: 0, data: 1, close: 2 } as const;
const HEAD = 9;

export interface Frame {
  kind: number;
  number: number;
  data: Buffer;
}

export function frameOf(kind: number, number: number, data: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(HEAD);
  head.writeUInt8(kind, 0);
  head.writeUInt32BE(number, 1);
  head.writeUInt32BE(data.length, 5);
  return Buffer.concat([head, data]);
}

/** Cuts a stream into frames, however its pieces come. */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0);

  read(piece: Buffer): Frame[] {
    this.#pending = this.#pending.length === 0 ? piece : Buffer.concat([this.#pending, piece]);
    const frames: Frame[] = [];
    while (this.#pending.length >= HEAD) {
      const end = HEAD + this.#pending.readUInt32BE(5);
      if (this.#pending.length < end) break;
      const [kind, number] = [this.#pending.readUInt8(0), this.#pending.readUInt32BE(1)];
      frames.push({ kind, number, data: this.#pending.subarray(HEAD, end) });
      this.#pending = this.#pending.subarray(end);
    }
    return frames;
  }
}
