/** I1 to I7, J7: backups. The first repository of the manifest is the one that is broken. */
import type { RepositoryFault } from '../fault.ts';
import type { DrillStep, Rehearsal, Scenario } from '../scenario.ts';
import { inject, undo, within } from './words.ts';

const needs = { instances: 1, backups: true };
/** Restores, proofs and clones beside the load take both cores. */
const bounds = within(10_000);

const broken = (how: RepositoryFault): DrillStep =>
  inject(({ repositories: [repository] }) =>
    repository === undefined ? undefined : { kind: 'break-repository', repository, how },
  );
const rehearse = (what: Rehearsal): DrillStep => ({ do: 'rehearse', what });
const failsAndCatchesUp = (how: RepositoryFault): DrillStep[] => [
  broken(how),
  rehearse('notice'),
  undo,
  rehearse('catch-up'),
];

export const BACKUPS: readonly Scenario[] = [
  {
    id: 'I1',
    name: 'archive-fails',
    title: 'WAL cannot be written into a repository',
    promise:
      'the database goes on, the failure is told with its reason, no WAL is dropped and none is missing afterwards',
    needs,
    bounds,
    steps: failsAndCatchesUp('read-only'),
  },
  {
    id: 'I2',
    name: 'repository-unreachable',
    title: 'a repository cannot be had',
    promise: 'the same; the other repositories get what is new',
    needs,
    bounds,
    steps: failsAndCatchesUp('unreachable'),
  },
  {
    id: 'I3',
    name: 'repository-full',
    title: 'a repository is full',
    promise: 'the same; nothing is deleted to make room',
    needs,
    bounds,
    steps: failsAndCatchesUp('full'),
  },
  {
    id: 'I4',
    name: 'repository-damaged',
    title: 'a file of the newest backup is flipped, then missing',
    promise: 'a proof finds it and names it; another repository restores',
    needs,
    bounds,
    steps: [
      broken('flipped'),
      rehearse('find-damage'),
      undo,
      broken('missing'),
      rehearse('find-damage'),
      undo,
      rehearse('prove'),
    ],
  },
  {
    id: 'I5',
    name: 'backup-killed',
    title: 'a backup is killed midway; two are begun at once',
    promise: 'nothing partial is listed as good, the next one works, and one of two waits or is refused',
    needs,
    bounds,
    steps: [rehearse('kill-backup'), rehearse('prove')],
  },
  {
    id: 'I6',
    name: 'target-outside',
    title: 'a restore is asked for what no backup leads to',
    promise: 'it is refused before anything is touched, and what can be reached is shown',
    needs,
    bounds,
    steps: [rehearse('refuse-targets')],
  },
  {
    id: 'I7',
    name: 'clone-archives',
    title: 'a clone starts and archives',
    promise: 'not one segment of it comes into the repositories of the original',
    needs,
    bounds: within(20_000),
    steps: [rehearse('clone')],
  },
  {
    id: 'J7',
    name: 'table-dropped',
    title: 'somebody drops a table; the state of one second before is restored',
    promise: 'every acknowledged row up to that second, none after; the table is brought back',
    needs,
    bounds,
    steps: [rehearse('lose-table')],
  },
];
