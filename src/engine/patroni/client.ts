import { z } from 'zod';
import type { DynamicConfig } from '../../core/topology/observation.ts';
import { PgherdError, RefusedError } from '../../lib/errors.ts';
import { type HttpResponse, JsonClient, type TlsIdentity } from '../../lib/http.ts';
import { PATRONI_PORT } from './config.ts';

/** Positions are bytes of WAL, as Patroni's REST interface gives them. Unknown keys are left alone. */
const memberStatus = z.object({
  state: z.string(),
  role: z.string(),
  timeline: z.number().optional(),
  /** Time of the last look at the DCS, in whole seconds since 1970. */
  dcs_last_seen: z.number().optional(),
  pending_restart: z.boolean().optional(),
  pending_restart_reason: z
    .record(
      z.string(),
      z.object({ old_value: z.coerce.string().optional(), new_value: z.coerce.string().optional() }),
    )
    .optional(),
  /** Shown only while it is: no DCS, but every member has confirmed the primary. */
  failsafe_mode_is_active: z.boolean().optional(),
  replication_state: z.string().optional(),
  tags: z.object({ nofailover: z.unknown() }).partial().optional(),
  xlog: z
    .object({
      location: z.number().optional(),
      received_location: z.number().nullish(),
      replayed_location: z.number().nullish(),
      replayed_timestamp: z.string().nullish(),
    })
    .optional(),
});

export type MemberStatus = z.infer<typeof memberStatus>;

const clusterView = z.object({ members: z.array(z.object({ name: z.string(), role: z.string() })) });

const dynamicConfiguration = z.record(z.string(), z.unknown());

/** Patroni answered, but not with what was asked for. */
export class PatroniError extends PgherdError {}

/** Patroni's REST interface on one member. */
export class PatroniClient implements Disposable {
  readonly #http: JsonClient;
  readonly #name: string;

  /** @param tlsName the name in the member's certificate, where that is not its address. */
  constructor(name: string, address: string, identity: TlsIdentity, tlsName?: string) {
    this.#name = name;
    this.#http = new JsonClient(address, PATRONI_PORT, identity, tlsName);
  }

  /** What the member says of itself. Answers 200 or 503; both carry the status. */
  async status(signal: AbortSignal, timeoutMs = 2000): Promise<MemberStatus> {
    const response = await this.#http.request('GET', '/patroni', { timeoutMs, signal });
    return this.#parse(memberStatus, response);
  }

  /** Names of the standbys that commits wait for, as the DCS has them at this moment: these may take over. */
  async synchronousStandbys(signal: AbortSignal): Promise<string[]> {
    const response = await this.#http.request('GET', '/cluster', { timeoutMs: 2000, signal });
    const { members } = this.#parse(clusterView, response);
    return members
      .filter(member => ['sync_standby', 'quorum_standby'].includes(member.role))
      .map(member => member.name);
  }

  async config(signal: AbortSignal): Promise<DynamicConfig> {
    const response = await this.#http.request('GET', '/config', { timeoutMs: 3000, signal });
    if (response.status !== 200) throw this.#error('did not give its configuration', response);
    return this.#parse(dynamicConfiguration, response) as DynamicConfig;
  }

  /** Merge patch; null deletes a key. */
  async patchConfig(patch: DynamicConfig, signal: AbortSignal): Promise<void> {
    const response = await this.#http.request('PATCH', '/config', { body: patch, timeoutMs: 10_000, signal });
    if (response.status !== 200) throw this.#error('refused the new configuration', response);
  }

  /** Makes the member's loop run now: Patroni wakes on a patch, also on one that deletes a key that nobody has. */
  async wake(signal: AbortSignal): Promise<void> {
    const body = { 'pgherd-wake': null };
    await this.#http.request('PATCH', '/config', { body, timeoutMs: 1000, signal });
  }

  async switchover(from: string, to: string | undefined, signal: AbortSignal): Promise<void> {
    const body = { leader: from, ...(to !== undefined && { candidate: to }) };
    const response = await this.#http.request('POST', '/switchover', { body, timeoutMs: 60_000, signal });
    if (response.status !== 200) throw this.#refusal('switchover', response);
  }

  async failover(to: string, signal: AbortSignal): Promise<void> {
    const response = await this.#http.request('POST', '/failover', {
      body: { candidate: to },
      timeoutMs: 60_000,
      signal,
    });
    if (response.status !== 200) throw this.#refusal('failover', response);
  }

  async restart(signal: AbortSignal): Promise<void> {
    const response = await this.#http.request('POST', '/restart', { body: {}, timeoutMs: 120_000, signal });
    if (response.status !== 200) throw this.#refusal('restart', response);
  }

  async reinitialise(signal: AbortSignal): Promise<void> {
    const response = await this.#http.request('POST', '/reinitialize', {
      body: { force: true },
      timeoutMs: 10_000,
      signal,
    });
    if (response.status !== 200) throw this.#refusal('reinitialise', response);
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]();
  }

  #parse<T>(schema: z.ZodType<T>, response: HttpResponse): T {
    try {
      return schema.parse(JSON.parse(response.body));
    } catch (cause) {
      throw new PatroniError({
        code: 'patroni-answer',
        message: `Patroni of ${this.#name} gave an answer that pgherd does not understand`,
        detail: response.body.slice(0, 300),
        cause,
      });
    }
  }

  #error(what: string, response: HttpResponse): PatroniError {
    return new PatroniError({
      code: 'patroni-failed',
      message: `Patroni of ${this.#name} ${what} (HTTP ${response.status})`,
      detail: response.body.slice(0, 500),
    });
  }

  /** 409, 412 and 503 say that the state of the cluster forbids it: nothing was changed. */
  #refusal(operation: string, response: HttpResponse): PgherdError {
    if ([409, 412, 503].includes(response.status)) {
      return new RefusedError({
        code: `${operation}-refused`,
        message: `Patroni refuses the ${operation}: ${response.body.slice(0, 500) || `HTTP ${response.status}`}`,
      });
    }
    return this.#error(`failed at the ${operation}`, response);
  }
}
