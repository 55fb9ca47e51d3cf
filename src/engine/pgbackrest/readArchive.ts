import type { ArchiveFacts, TimelineFacts } from '../../core/schedule/facts.ts';
import { archiveFacts, parseHistory, parseListing } from './archive.ts';

/** Runs a command of pgBackRest for one repository; resolves with what it printed. */
export type Ask = (args: string[], timeoutMs: number) => Promise<string>;

const LISTING_MS = 120_000;
const HISTORY_MS = 30_000;

/** The WAL that a repository holds. `archiveId`: folder of the archive; undefined: nothing was archived yet. */
export async function readArchive(
  ask: Ask,
  stanza: string,
  archiveId: string | undefined,
  segmentBytes: number,
): Promise<ArchiveFacts> {
  if (archiveId === undefined) return { ranges: [], timelines: [] };
  const folder = `archive/${stanza}/${archiveId}`;
  const text = await ask(['repo-ls', '--recurse', '--output=json', '--sort=none', folder], LISTING_MS);
  const listing = parseListing(text);
  const timelines: TimelineFacts[] = [];
  for (const { timeline, path, at } of listing.histories) {
    const history = await ask(['repo-get', `${folder}/${path}`], HISTORY_MS);
    timelines.push(parseHistory(timeline, history, at));
  }
  return archiveFacts(listing, timelines, BigInt(segmentBytes));
}
