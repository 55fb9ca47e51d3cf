import { describe, expect, test } from 'vitest';
import { outside } from '../../../core/failover/sample.ts';
import { type Attempt, judge, type Look, type Memory, type PoolerPod, type Silent } from './silence.ts';

const KUBELET = 'its kubelet';
const pod = (n: number, more: Partial<PoolerPod> = {}): PoolerPod => ({
  name: `demo-pooler-${n}`,
  uid: `p${n}`,
  pooler: 'demo-pooler',
  node: `n${n}`,
  ready: true,
  ...more,
});
const members = [0, 1, 2].map(n => ({ name: `demo-${n}`, node: `n${n + 1}` }));
const from = (uid: string, reached: Record<string, boolean | undefined>): Attempt[] =>
  Object.entries(reached).map(([place, answer]) => ({ uid, from: place, reached: answer }));

/** The host n1 is lost: pod p1 with the member demo-0. */
const LOST = {
  p1: { [outside]: false, [KUBELET]: false, 'demo-0': undefined, 'demo-1': false, 'demo-2': false },
  p2: { [outside]: true },
};

interface Step {
  attempts?: Record<string, Record<string, boolean | undefined>>;
  pods?: PoolerPod[];
  members?: Look['members'];
  late?: boolean;
  afterMs?: number;
}

/** What is decided in the last of these looks. */
function last(steps: Step[]): Silent[] {
  let memory: Memory = { at: 0, silences: new Map() };
  let silent: Silent[] = [];
  for (const { attempts = LOST, pods = [pod(1), pod(2)], late = false, afterMs = 300, ...more } of steps) {
    const look: Look = {
      at: memory.at + afterMs,
      timely: !late,
      pods,
      members: more.members ?? members,
      attempts: Object.entries(attempts).flatMap(([uid, reached]) => from(uid, reached)),
    };
    ({ memory, silent } = judge(memory, look));
  }
  return silent;
}

const times = (n: number, step: Step = {}) => Array.from({ length: n }, () => step);

test('a pod that is silent with its host is told after a second, and at four looks at the earliest', () => {
  expect(last(times(4))).toEqual([]);
  expect(last(times(5))).toMatchObject([{ pod: { uid: 'p1' }, places: [outside, 'demo-1', 'demo-2'] }]);
  expect(last(times(3, { afterMs: 1_000 }))).toEqual([]);
  expect(last(times(4, { afterMs: 1_000 }))).toHaveLength(1);
});

describe('nothing is done', () => {
  test('about a blip, or in the look in which anybody reaches the pod or its kubelet', () => {
    for (const place of [outside, KUBELET, 'demo-0', 'demo-1']) {
      const seen = { attempts: { ...LOST, p1: { ...LOST.p1, [place]: true } } };
      expect(last([...times(9), seen])).toEqual([]);
      expect(last([...times(9), seen, ...times(4)])).toEqual([]);
      expect(last([...times(9), seen, ...times(5)])).toHaveLength(1);
    }
  });

  test('after a look of ours that was late: silence is counted anew', () => {
    expect(last([...times(9), { late: true }])).toEqual([]);
    expect(last([...times(9), { late: true }, ...times(4)])).toEqual([]);
    expect(last([...times(9), { late: true }, ...times(5)])).toHaveLength(1);
  });

  test('while we may be the ones who are cut off', () => {
    const alone = { p1: { [outside]: false, 'demo-1': undefined, 'demo-2': undefined }, p2: LOST.p2 };
    expect(last(times(9, { attempts: alone }))).toEqual([]);
    const half = { p1: { [outside]: false, 'demo-1': false, 'demo-2': undefined }, p2: LOST.p2 };
    expect(last(times(9, { attempts: half }))).toEqual([]);
    expect(last(times(9, { members: [] }))).toEqual([]);
    // All on one host: nobody is left who could confirm it.
    expect(last(times(9, { members: [{ name: 'demo-0', node: 'n1' }] }))).toEqual([]);
  });

  test('on one attempt of a member, however long we have seen nothing', () => {
    const ours = { p1: { [outside]: false }, p2: LOST.p2 };
    expect(last([...times(9, { attempts: ours }), {}])).toEqual([]);
    expect(last([...times(9, { attempts: ours }), {}, {}])).toHaveLength(1);
  });

  test('to the last pod that serves', () => {
    const silent = { p1: LOST.p1, p2: LOST.p1 };
    expect(last(times(9, { attempts: silent }))).toEqual([]);
    expect(last(times(9, { pods: [pod(1)] }))).toEqual([]);
    expect(last(times(9, { pods: [pod(1), pod(2, { ready: false })] }))).toEqual([]);
    expect(last(times(9, { pods: [pod(1), pod(2, { pooler: 'demo-pooler-repl' })] }))).toEqual([]);
  });

  test('to one that Services do not lead to already', () => {
    expect(last(times(9, { pods: [pod(1, { ready: false }), pod(2)] }))).toEqual([]);
  });
});

test('of two members the one on another host is enough', () => {
  expect(last(times(5, { members: members.slice(0, 2) }))).toMatchObject([{ places: [outside, 'demo-1'] }]);
});
