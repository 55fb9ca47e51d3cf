import { describe, expect, it } from 'vitest';
import { errorsOf, findingsOf, manifestWith, specOf } from '../manifestFixture.ts';

function findings(lines: string): string[] {
  return findingsOf(manifestWith(lines)).filter(found => !found.endsWith('volume.size'));
}

describe('resources', () => {
  it('have the defaults of the format, also for "", "0" and "null"', () => {
    const defaults = {
      requests: { cpuMillis: 100, memoryBytes: 100 * 2 ** 20 },
      limits: { cpuMillis: 1000, memoryBytes: 500 * 2 ** 20 },
    };
    expect(specOf(manifestWith()).resources).toEqual(defaults);
    expect(
      specOf(manifestWith('resources: { limits: { cpu: "", memory: "0" }, requests: { cpu: "null" } }'))
        .resources,
    ).toEqual(defaults);
  });

  it('raises a limit to its request, and says so', () => {
    const lines = 'resources: { requests: { memory: 1Gi, cpu: "2" }, limits: { memory: 200Mi } }';
    expect(specOf(manifestWith(lines)).resources.limits).toEqual({ cpuMillis: 2000, memoryBytes: 2 ** 30 });
    expect(findings(lines)).toEqual([
      'warning limit-raised spec.resources.limits.cpu',
      'warning limit-raised spec.resources.limits.memory',
    ]);
  });

  it.each([
    ['volume: { size: 10GB }', 'did you mean 10Gi?'],
    ['volume: { size: 10 Gi }', 'did you mean 10Gi?'],
    ['volume: { size: "0" }', 'amount like 500Mi'],
    ['volume: { size: -1Gi }', 'amount like 500Mi'],
    ['volume: { size: 500m }', 'write 500Mi'],
    ['volume: { size: much }', 'a number with a unit'],
  ])('refuses %s', (line, hint) => {
    const text = manifestWith().replace('volume: { size: 1Gi }', line);
    expect(errorsOf(text)).toMatchObject([{ path: 'spec.volume.size', line: 7 }]);
    expect(errorsOf(text)[0]?.hint).toContain(hint);
  });

  it('refuses a memory of thousandths and a cpu with a unit of memory', () => {
    expect(findings('resources: { limits: { memory: 500m, cpu: 1 core } }')).toEqual([
      'error wrong-quantity spec.resources.limits.memory',
      'error wrong-quantity spec.resources.limits.cpu',
    ]);
  });

  it.each([0, 100])('takes %i instances', instances => {
    expect(specOf(manifestWith('', { instances })).instances).toBe(instances);
  });

  it.each([-1, 101, 1.5])('refuses %d instances', instances => {
    expect(errorsOf(manifestWith('', { instances }))).toMatchObject([
      { path: 'spec.numberOfInstances', line: 6 },
    ]);
  });
});

describe('exposure', () => {
  it.each([
    ['enableMasterLoadBalancer: true', 'primary'],
    ['enableReplicaLoadBalancer: true', 'standby'],
    ['enableMasterPoolerLoadBalancer: true', 'pooler'],
    ['enableReplicaPoolerLoadBalancer: true', 'poolerStandby'],
    ['enableMasterNodePort: true', 'primary'],
    ['enableReplicaNodePort: true', 'standby'],
    ['enableMasterPoolerNodePort: true', 'pooler'],
    ['enableReplicaPoolerNodePort: true\nenableReplicaPoolerLoadBalancer: false', 'poolerStandby'],
    ['enableMasterLoadBalancer: false', undefined],
  ])('%s opens %s', (line, endpoint) => {
    const none = { primary: false, standby: false, pooler: false, poolerStandby: false };
    expect(specOf(manifestWith(line)).exposed).toEqual(
      endpoint === undefined ? none : { ...none, [endpoint]: true },
    );
  });

  it.each([
    ['10.0.0.0/8', []],
    ['192.168.1.20/32', []],
    ['fd00::/8', []],
    ['2001:db8::1/128', []],
    ['0.0.0.0/0', ['warning open-to-all spec.allowedSourceRanges[0]']],
    ['::/0', ['warning open-to-all spec.allowedSourceRanges[0]']],
    ['10.0.0.1', ['error wrong-range spec.allowedSourceRanges[0]']],
    ['10.0.0.0/33', ['error wrong-range spec.allowedSourceRanges[0]']],
    ['300.0.0.0/8', ['error wrong-range spec.allowedSourceRanges[0]']],
    ['fd00::/129', ['error wrong-range spec.allowedSourceRanges[0]']],
    ['example.com', ['error wrong-range spec.allowedSourceRanges[0]']],
    [' 10.0.0.0/8', ['error wrong-range spec.allowedSourceRanges[0]']],
  ])('judges the range %j', (range, expected) => {
    expect(findings(`allowedSourceRanges: ["${range}"]`)).toEqual(expected);
  });
});
