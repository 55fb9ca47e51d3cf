/** Physical backups on Kubernetes, behind the contract: pgBackRest in the pods, told through the API server. */
import { createHash } from 'node:crypto';
import type {
  ArchiverFacts,
  BackupObservation,
  BackupSet,
  BackupType,
  KeyFacts,
} from '../../../core/schedule/facts.ts';
import { failedWork, parseMemory, SCHEDULE_MEMORY } from '../../../core/schedule/memory.ts';
import { PROOFS, parseProofs } from '../../../core/schedule/proof.ts';
import { restoreFacts } from '../../../core/schedule/waiting.ts';
import { messageOf, PgherdError, RefusedError } from '../../../lib/errors.ts';
import type { ApplyContext, BackupContext, BackupMemory, Backups, Expired } from '../../contract.ts';
import { BACKUP_KEY } from '../children/backupKeys.ts';
import { decoded } from '../children/secrets.ts';
import { backupKeysName, MEMBER_CONTAINER } from '../objects/names.ts';
import { type PodRepository, repositoriesOf } from '../objects/repositories.ts';
import { primaryOf } from '../patroni/view.ts';
import { PsqlSession } from '../sql/psqlSession.ts';
import { closeGaps } from './gaps.ts';
import type { KubeBackupInput } from './input.ts';
import { type LockWish, takeLease } from './lock.ts';
import { ConfigMapNotes } from './notes.ts';
import { observeArchiver, observeRepository } from './observe.ts';
import { listScratches } from './scratch/list.ts';
import { asideFacts, swapOf } from './swap/note.ts';
import { Pausing } from './swap/pausing.ts';
import { expireBackups, takeBackup } from './take.ts';
import { runTool } from './tool.ts';

const STANZA_MS = 60_000;
const REQUEST_MS = 15_000;
/** Of segments of which no server tells the size. */
const USUAL_SEGMENT_BYTES = 16 * 1024 * 1024;
const SAVED_ANNOTATION = 'pgherd.dev/saved-at';

export class KubeBackups implements Backups {
  readonly memory: BackupMemory;
  readonly #input: KubeBackupInput;
  readonly #repositories: PodRepository[];

  constructor(input: KubeBackupInput) {
    this.#input = input;
    this.#repositories = repositoriesOf(input.spec);
    this.memory = new ConfigMapNotes(input.client, input.owner);
  }

  get repositories(): string[] {
    return this.#repositories.map(({ name }) => name);
  }

  async observe({ archive }: { archive: boolean }, signal: AbortSignal): Promise<BackupObservation> {
    const observedAt = new Date().toISOString();
    const { spec } = this.#input;
    const { asking, archiver } = await this.#lookInside(signal);
    const { segmentBytes = USUAL_SEGMENT_BYTES, ...facts } = archiver ?? {};
    const seen = await Promise.all(
      this.#repositories.map(repository =>
        observeRepository(repository, { archive, segmentBytes }, asking, this.#input, signal),
      ),
    );
    const failing = (name: string) => archiver?.failingRepositories?.includes(name) === true;
    const repositories = seen.map(repository =>
      repository.state === 'ready' && failing(repository.name)
        ? { ...repository, state: 'failing' as const, problem: archiver?.failure }
        : repository,
    );
    const patroni = await new Pausing(this.#input).config(signal);
    return {
      observedAt,
      repositories,
      archiver: archiver === undefined ? undefined : (facts as ArchiverFacts),
      key: spec.backup.encryption && repositories.length > 0 ? (await this.readKey())?.facts : undefined,
      proofs: parseProofs(await this.memory.read(PROOFS)),
      failedWork: failedWork(parseMemory(await this.memory.read(SCHEDULE_MEMORY))),
      restores: restoreFacts(await listScratches(this.#input, signal), swapOf(patroni)?.scratch),
      aside: asideFacts(patroni),
    };
  }

  async archiver(signal: AbortSignal): Promise<ArchiverFacts | undefined> {
    return (await this.#lookInside(signal)).archiver;
  }

  /** After a failover: pushes what the primary before had not archived. Resolves with what was done. */
  closeGaps(signal: AbortSignal): Promise<string[]> {
    return closeGaps(this.memory, this.#input, signal);
  }

  async provision(signal: AbortSignal): ReturnType<Backups['provision']> {
    const done: string[] = [];
    const failed: { repository: string; problem: string }[] = [];
    const primary = await this.#primary(signal);
    for (const repository of this.#repositories) {
      const { name } = repository;
      const options = { archive: false, segmentBytes: USUAL_SEGMENT_BYTES };
      const facts = await observeRepository(repository, options, primary, this.#input, signal);
      if (facts.state === 'ready') continue;
      if (facts.state !== 'empty' || primary === undefined) {
        failed.push({ repository: name, problem: facts.problem ?? facts.state });
        continue;
      }
      try {
        await this.#make(repository, primary, signal);
        done.push(`made the repository ${name}`);
      } catch (error) {
        signal.throwIfAborted();
        failed.push({ repository: name, problem: problemOf(error) });
      }
    }
    if (done.length > 0 && primary !== undefined) await this.#wakeArchiver(primary, signal);
    return { done, failed };
  }

  async backup(
    { repository, type }: { repository: string; type: BackupType },
    context: BackupContext,
  ): Promise<BackupSet> {
    const primary = await this.#wantPrimary(context.signal);
    return await takeBackup(this.#named(repository), type, primary, this.#input, context);
  }

  async expire(
    { repository, dryRun }: { repository: string; dryRun: boolean },
    { signal }: ApplyContext,
  ): Promise<Expired> {
    const primary = await this.#wantPrimary(signal);
    return await expireBackups(this.#named(repository), dryRun, primary, this.#input, signal);
  }

  lock(operation: string, wish: LockWish): Promise<AsyncDisposable> {
    const { client, owner } = this.#input;
    return takeLease(client, owner, operation, wish);
  }

  async readKey(): Promise<{ facts: KeyFacts; key: string } | undefined> {
    const secret = await this.#input.client.get(this.#keyRef, AbortSignal.timeout(REQUEST_MS));
    const key = decoded(secret, BACKUP_KEY)?.trim();
    if (key === undefined || !this.#input.spec.backup.encryption) return undefined;
    const fingerprint = createHash('sha256').update(key).digest('hex').slice(0, 12);
    return { facts: { fingerprint, savedAt: secret?.metadata.annotations?.[SAVED_ANNOTATION] }, key };
  }

  async noteKeySaved(): Promise<void> {
    const annotations = { [SAVED_ANNOTATION]: new Date().toISOString() };
    await this.#input.client.merge(
      this.#keyRef,
      { metadata: { annotations } },
      AbortSignal.timeout(REQUEST_MS),
    );
  }

  async importKey(): Promise<never> {
    const { namespace, name } = this.#keyRef;
    throw new RefusedError({
      code: 'not-on-kubernetes',
      message: 'on Kubernetes a key from elsewhere is a Secret that is there before the cluster',
      hint: `kubectl create secret generic ${name} -n ${namespace} --from-file=${BACKUP_KEY}=FILE`,
    });
  }

  get #keyRef() {
    const { name, namespace } = this.#input.ref;
    return { kind: 'Secret', namespace, name: backupKeysName(name) } as const;
  }

  /** The archiver, and the pod that repositories are asked from: the primary's, else any that runs. */
  async #lookInside(signal: AbortSignal) {
    if (this.#repositories.length === 0) return { asking: undefined, archiver: undefined };
    const view = await this.#input.look(signal);
    const primary = primaryOf(view);
    const asking = primary ?? view.members.find(member => member.well) ?? view.members[0];
    const archiver =
      primary === undefined ? undefined : await observeArchiver(primary.name, this.#input, signal);
    return { asking: asking?.name, archiver };
  }

  async #primary(signal: AbortSignal): Promise<string | undefined> {
    const primary = primaryOf(await this.#input.look(signal));
    return primary?.well === true ? primary.name : undefined;
  }

  async #wantPrimary(signal: AbortSignal): Promise<string> {
    const primary = await this.#primary(signal);
    if (primary !== undefined) return primary;
    throw new PgherdError({
      code: 'no-primary',
      message: 'a backup needs a primary, and there is none now',
      hint: 'see `pgherd status`; the next run will find one',
    });
  }

  async #make({ name, config }: PodRepository, primary: string, signal: AbortSignal): Promise<void> {
    await runTool(this.#input, {
      args: ['stanza-create', '--pg1-user=postgres'],
      pod: primary,
      config,
      what: `making ${name}`,
      timeoutMs: STANZA_MS,
      signal,
    });
  }

  /** After three failures PostgreSQL's archiver sleeps for a minute. Reading its configuration again wakes it. */
  async #wakeArchiver(pod: string, signal: AbortSignal): Promise<void> {
    const { client, ref } = this.#input;
    const target = { namespace: ref.namespace, pod, container: MEMBER_CONTAINER };
    try {
      await using session = await PsqlSession.open(client, target, 'postgres', signal);
      await session.query('SELECT pg_reload_conf()');
    } catch {
      signal.throwIfAborted();
    }
  }

  #named(name: string): PodRepository {
    const found = this.#repositories.find(repository => repository.name === name);
    if (found !== undefined) return found;
    throw new RefusedError({
      code: 'no-such-repository',
      message: `there is no repository "${name}"`,
      hint: `repositories of this cluster: ${this.repositories.join(', ')}`,
    });
  }
}

function problemOf(error: unknown): string {
  const detail = error instanceof PgherdError && error.detail !== undefined ? ` (${error.detail})` : '';
  return `${messageOf(error)}${detail}`;
}
