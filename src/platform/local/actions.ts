/** Which part carries out which action. */
import type { MemberObservation } from '../../core/topology/observation.ts';
import { changeCatalog } from '../../engine/postgres/catalog.ts';
import type { ApplyContext, PlatformAction } from '../contract.ts';
import { type Machine, reloadComponent, restartComponent, startComponent } from './apply.ts';
import type { ClientPool } from './clients.ts';
import { patchDynamicConfig } from './dynamicConfig.ts';
import type { PrimarySql } from './primarySql.ts';
import { removeFromCluster } from './removal.ts';

export interface Means {
  machine(): Promise<Machine>;
  clients: ClientPool;
  sql: PrimarySql;
  /** Prefix of the cluster's keys in the DCS, with the cluster's name. */
  scope: string;
  /** As of the last look. */
  members: MemberObservation[];
  restartParameters: string[];
  primary(): Promise<MemberObservation>;
  provision(): Promise<void>;
  stop(): Promise<void>;
}

export async function carryOut(action: PlatformAction, means: Means, context: ApplyContext): Promise<void> {
  const { signal } = context;
  const { machine, clients, sql, members, restartParameters } = means;
  signal.throwIfAborted();
  switch (action.kind) {
    case 'prepare':
      return await means.provision();
    case 'start':
      return await startComponent(await machine(), action.component, context);
    case 'reload':
      return await reloadComponent(await machine(), action.component);
    case 'restart':
      return await restartComponent(await machine(), action.component, context);
    case 'remove':
      return await removeFromCluster(await machine(), action.component, means, context);
    case 'stop':
      return await means.stop();
    case 'configure':
      return await patchDynamicConfig(action.patch, members, restartParameters, clients, signal);
    case 'change-catalog':
      return await changeCatalog(action.change, sql.changes(await means.primary(), signal));
  }
}
