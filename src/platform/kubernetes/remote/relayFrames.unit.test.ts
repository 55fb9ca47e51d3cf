import { expect, test } from 'vitest';
import { FrameReader, frameOf, KIND } from './relayFrames.ts';

test('frames come out as they went in, however the stream is cut', () => {
  const long = Buffer.alloc(70_000, 7);
  const frames = [
    frameOf(KIND.open, 1),
    frameOf(KIND.data, 4_000_000_000, Buffer.from('abc')),
    frameOf(KIND.data, 2, long),
    frameOf(KIND.close, 1),
  ];
  const stream = Buffer.concat(frames);
  for (const size of [1, 8, 9, 10, 4_096, stream.length]) {
    const reader = new FrameReader();
    const read = [];
    for (let at = 0; at < stream.length; at += size)
      read.push(...reader.read(stream.subarray(at, at + size)));
    expect(read.map(({ kind, number, data }) => [kind, number, data.length])).toEqual([
      [KIND.open, 1, 0],
      [KIND.data, 4_000_000_000, 3],
      [KIND.data, 2, long.length],
      [KIND.close, 1, 0],
    ]);
    expect(read[1]?.data.toString()).toBe('abc');
    expect(read[2]?.data.equals(long)).toBe(true);
  }
});
