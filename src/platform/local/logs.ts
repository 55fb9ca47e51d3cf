/** The servers' logs, which svlogd keeps in one directory each, merged into one stream in the order of time. */
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '../../lib/time.ts';
import type { LogLine, LogOptions } from '../contract.ts';

const FOLLOW_EVERY_MS = 250;

/** Lines of every server's log, oldest first; with `follow` new ones as they come. */
export async function* readLogs(
  directory: string,
  options: LogOptions,
  signal: AbortSignal,
): AsyncIterable<LogLine> {
  const all = (await readdir(directory, { withFileTypes: true }))
    .filter(item => item.isDirectory())
    .map(item => item.name);
  const components =
    options.components.length === 0 ? all : all.filter(name => options.components.includes(name));
  const positions = new Map<string, Position>();
  const past: LogLine[] = [];
  for (const component of components) {
    const position = { inode: 0, offset: 0 };
    positions.set(component, position);
    for (const file of await oldFiles(join(directory, component))) {
      past.push(...parse(component, await readFile(file, 'utf8')));
    }
    past.push(...(await readNew(join(directory, component), component, position)));
  }
  const since = options.since?.toISOString() ?? '';
  const wanted = inOrder(past).filter(line => line.at >= since);
  yield* options.tail === undefined ? wanted : wanted.slice(Math.max(0, wanted.length - options.tail));
  while (options.follow) {
    await sleep(FOLLOW_EVERY_MS, signal);
    const fresh: LogLine[] = [];
    for (const [component, position] of positions) {
      fresh.push(...(await readNew(join(directory, component), component, position)));
    }
    yield* inOrder(fresh);
  }
}

interface Position {
  inode: number;
  offset: number;
}

/** svlogd's rotated files, oldest first: "@<time>.s" and ".u". */
async function oldFiles(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names
    .filter(name => name.startsWith('@'))
    .sort()
    .map(name => join(directory, name));
}

/** What was appended to `current` since the last look; whole lines only. A rotated file starts from its top. */
async function readNew(directory: string, component: string, position: Position): Promise<LogLine[]> {
  const path = join(directory, 'current');
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) return [];
  if (info.ino !== position.inode || info.size < position.offset)
    Object.assign(position, { inode: info.ino, offset: 0 });
  if (info.size === position.offset) return [];
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read({
      buffer: Buffer.alloc(info.size - position.offset),
      position: position.offset,
    });
    const end = buffer.subarray(0, bytesRead).lastIndexOf(10) + 1;
    position.offset += end;
    return parse(component, buffer.subarray(0, end).toString('utf8'));
  } finally {
    await file.close();
  }
}

/** svlogd stamps each line "2026-11-22T11:12:13.12345 text"; a line without a stamp belongs to the one before. */
function parse(component: string, text: string): LogLine[] {
  const lines: LogLine[] = [];
  for (const line of text.split('\n')) {
    const match = /^(\d{4}-\d\d-\d\d)[T_](\d\d:\d\d:\d\d\.\d{3})\d* (.*)$/.exec(line);
    if (match !== null) lines.push({ at: `${match[1]}T${match[2]}Z`, component, text: match[3] ?? '' });
  }
  return lines;
}

/** A stable sort: lines of one server that bear the same time keep their order. */
function inOrder(lines: LogLine[]): LogLine[] {
  return lines.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}
