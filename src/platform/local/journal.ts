import { appendFile } from 'node:fs/promises';
import { journalEntry } from '../../core/topology/journalEntry.ts';
import { readIfExists } from '../../lib/files.ts';
import type { Journal, JournalEntry } from '../contract.ts';

/** The journal as one JSON document per line, only ever appended to. */
export class FileJournal implements Journal {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async append(item: Omit<JournalEntry, 'at'>): Promise<void> {
    const line = JSON.stringify({ at: new Date().toISOString(), ...item });
    // One write of less than a page with O_APPEND: lines of two processes do not mix.
    await appendFile(this.#path, `${line}\n`, { mode: 0o600 });
  }

  async read(options: { since: Date | undefined }): Promise<JournalEntry[]> {
    const text = (await readIfExists(this.#path)) ?? '';
    const since = options.since?.toISOString() ?? '';
    return (
      text
        .split('\n')
        .map(parseLine)
        .filter(item => item !== undefined)
        .filter(item => item.at >= since)
        // Two processes append: what was stamped first need not have been written first.
        .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
    );
  }
}

/** A line cut short by a crash is left out rather than making the journal unreadable. */
function parseLine(line: string): JournalEntry | undefined {
  if (line === '') return undefined;
  try {
    const parsed = journalEntry.parse(JSON.parse(line));
    return { ...parsed, reason: parsed.reason };
  } catch {
    return undefined;
  }
}
