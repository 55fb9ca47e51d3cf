/** Restored data onto the primary's volume, beside the data in use, while the cluster serves. */
import { identifier, literal } from '../../../../engine/postgres/connection.ts';
import { scramVerifier } from '../../../../engine/postgres/scram.ts';
import { PgherdError, RefusedError } from '../../../../lib/errors.ts';
import type { ApplyContext, ScratchRecord, SqlSession } from '../../../contract.ts';
import { decoded } from '../../children/secrets.ts';
import { CLUSTER_LABEL } from '../../objects/labels.ts';
import type { MemberView } from '../../patroni/view.ts';
import { primaryOf } from '../../patroni/view.ts';
import { carry } from '../carry.ts';
import type { KubeBackupInput } from '../input.ts';
import { startAgain, stopServer } from '../scratch/server.ts';
import { PLACES, type RestoreShell } from '../scratch/shell.ts';
import { SWAP_PLACES } from './note.ts';

const MEGABYTE = 1024 * 1024;
const TELL_BYTES = 64 * MEGABYTE;
/** For the WAL of the first minutes, besides a tenth of the data. */
const SPARE_BYTES = 64 * MEGABYTE;

export interface BringMeans {
  input: KubeBackupInput;
  /** In the restore's pod. */
  scratch: RestoreShell;
  member(name: string): RestoreShell;
  session(signal: AbortSignal): Promise<SqlSession>;
}

const PACK = `cd "$1"; [ ! -e "$2" ] || cp -p "$2" "$1/postgresql.auto.conf"
exec tar -I 'gzip -1' --exclude=./recovery.signal --exclude=./postmaster.pid --exclude=./postmaster.opts -cf - .`;

/** Whole, or not under its name. */
const UNPACK = `set -e; umask 077; rm -rf "$1"/cutover-*; mkdir "$2.partial"
tar -C "$2.partial" -xzpf -; chmod 700 "$2.partial"; sync -f "$2.partial"; mv "$2.partial" "$2"; sync -f "$1"`;

/** Refuses before anything is written what could not be put in place. May be repeated. */
export async function bring(
  means: BringMeans,
  record: ScratchRecord,
  { signal, progress }: ApplyContext,
): Promise<void> {
  const { input, scratch } = means;
  const view = await input.look(signal);
  const primary = primaryOf(view);
  const wanted = view.members.filter(({ ordinal }) => ordinal < input.spec.instances);
  refuseUnfit(input, record, wanted, primary);
  if (primary === undefined) return;
  await refuseTablespaces(scratch, signal);
  await refuseFull(means, wanted, signal);
  progress('the restored data take over the passwords of the cluster');
  await startAgain(scratch, signal);
  await setPasswords(means, signal);
  await stopServer(scratch, signal);
  const target = means.member(primary.name);
  let told = 0;
  const say = (total: number) =>
    progress(`bringing the restored data to ${primary.name}: ${Math.round(total / MEGABYTE)} MB, compressed`);
  say(0);
  const failure = await carry(
    input.client,
    { target: scratch.target, argv: ['sh', '-c', PACK, 'sh', PLACES.data, PLACES.autoConfig] },
    {
      target: target.target,
      argv: ['sh', '-c', UNPACK, 'sh', SWAP_PLACES.place, SWAP_PLACES.brought(record.id)],
    },
    {
      signal,
      onBytes(total) {
        if (total - told < TELL_BYTES) return;
        told = total;
        say(total);
      },
    },
  );
  if (failure === undefined) return;
  throw new PgherdError({
    code: 'not-brought',
    message: `the restored data could not be brought to ${primary.name}; the cluster was not touched`,
    detail: failure.stderr,
  });
}

function refuseUnfit(
  { spec }: KubeBackupInput,
  { id, reached }: ScratchRecord,
  wanted: MemberView[],
  primary: MemberView | undefined,
): void {
  const unwell = wanted.find(member => !member.well);
  if (primary === undefined || unwell !== undefined || wanted.length < spec.instances) {
    throw new RefusedError({
      code: 'members-unwell',
      message: `a cutover needs all members well, ${unwell?.name ?? 'one'} is not: nothing was touched`,
      hint: 'each has to set its data aside itself; see `pgherd status`',
    });
  }
  // Two histories of one number: the archive could not keep them apart.
  if (reached === undefined || (primary.timeline ?? 1) < reached.timeline) return;
  throw new RefusedError({
    code: 'restore-outdated',
    message: `the primary has changed since restore ${id} was made: nothing was touched`,
    hint: `restore again: pgherd restore ${spec.name} --to TIME, and --discard ${id}`,
  });
}

async function refuseTablespaces(scratch: RestoreShell, signal: AbortSignal): Promise<void> {
  const found = await scratch.run('ls "$1" 2>/dev/null || true', [PLACES.tablespaces], signal);
  if (found.trim() === '') return;
  throw new RefusedError({
    code: 'tablespaces',
    message: 'the backup holds tablespaces, which pgherd cannot put in place',
    hint: 'take tables out of the restored data with --table',
  });
}

/** Old and new data lie on one volume for a while: the new ones are brought, or built anew, before the old ones go. */
async function refuseFull({ scratch, member }: BringMeans, wanted: MemberView[], signal: AbortSignal) {
  const size = Number.parseInt(await scratch.run('du -sk "$1"', [PLACES.data], signal), 10) * 1024;
  const needed = size * 1.1 + SPARE_BYTES;
  for (const { name } of wanted) {
    const free = await member(name).run(`df -Pk "$1" | awk 'END { print $4 }'`, [SWAP_PLACES.place], signal);
    if (Number(free) * 1024 >= needed) continue;
    throw new RefusedError({
      code: 'volume-too-small',
      message: `the volume of ${name} has no room for the restored data beside the old ones: nothing was touched`,
      detail: `${Math.ceil(needed / MEGABYTE)} MB are needed, ${Math.floor(Number(free) / 1024)} MB are free`,
      hint: 'make volume.size larger in the manifest',
    });
  }
}

/** The Secrets are what users log in with, whatever the passwords were back then. */
async function setPasswords({ input, session }: BringMeans, signal: AbortSignal): Promise<void> {
  const { namespace, name } = input.ref;
  const labelSelector = `${CLUSTER_LABEL}=${name}`;
  const { items } = await input.client.list('Secret', { namespace, labelSelector }, signal);
  await using opened = await session(signal);
  await opened.query('SET default_transaction_read_only = off');
  // Nobody has read the verifiers from the log of a server that logs statements.
  await opened.query("SET log_statement = 'none'");
  const rows = await opened.query('SELECT rolname::text AS name FROM pg_authid');
  const known = new Set(rows.map(row => String(row.name)));
  for (const secret of items) {
    const user = decoded(secret, 'username');
    const password = decoded(secret, 'password');
    if (user === undefined || password === undefined || !known.has(user)) continue;
    await opened.query(`ALTER ROLE ${identifier(user)} PASSWORD ${literal(scramVerifier(password))}`);
  }
}
