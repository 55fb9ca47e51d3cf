/** What steps work with, and every server's rendering: pure, so the same until keys or passwords change. */
import { join } from 'node:path';
import type { ClusterSpec } from '../../core/manifest/spec.ts';
import type { Machine } from './apply.ts';
import type { ClientPool } from './clients.ts';
import { DetachedProcess } from './detachedProcess.ts';
import type { Paths } from './layout.ts';
import { ensureMaterial, type Material, readMaterial } from './material.ts';
import type { ClusterRecord } from './record.ts';
import type { SecretStore } from './secrets.ts';
import type { Service } from './serviceParts.ts';
import { renderService, wantedComponents } from './services.ts';

export class Renderings {
  readonly #spec: ClusterSpec;
  readonly #paths: Paths;
  readonly #secrets: SecretStore;
  readonly #clients: ClientPool;
  readonly #supervisor: DetachedProcess;
  #material: Material | undefined;
  readonly #rendered = new Map<string, Service>();

  constructor(spec: ClusterSpec, paths: Paths, secrets: SecretStore, clients: ClientPool) {
    this.#spec = spec;
    this.#paths = paths;
    this.#secrets = secrets;
    this.#clients = clients;
    this.#supervisor = new DetachedProcess(
      join(paths.root, 'supervisor.json'),
      join(paths.root, 'supervisor.log'),
    );
  }

  /** Makes the keys and passwords that are missing. */
  async renew(record: ClusterRecord, signal: AbortSignal): Promise<void> {
    await ensureMaterial(this.#spec, record, this.#paths, this.#secrets, signal);
    this.#material = undefined;
    this.#rendered.clear();
  }

  async machine(record: ClusterRecord): Promise<Machine> {
    this.#material ??= await readMaterial(this.#spec, this.#paths, this.#secrets);
    const input = { spec: this.#spec, record, paths: this.#paths, ...this.#material };
    const rendered = this.#rendered;
    return {
      record,
      paths: this.#paths,
      clients: this.#clients,
      supervisor: this.#supervisor,
      render: name => {
        const service = rendered.get(name) ?? renderService(name, input);
        rendered.set(name, service);
        return service;
      },
      wanted: wantedComponents(this.#spec, record).map(component => component.name),
    };
  }
}
