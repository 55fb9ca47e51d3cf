import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { operatorConfigSchema } from '../config.ts';
import { deployFiles } from './files.ts';
import { installValuesSchema } from './values.ts';

const root = new URL('../../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const { version } = JSON.parse(read('package.json')) as { version: string };
const files = deployFiles(version);

interface Parsed {
  kind: string;
  metadata: { name: string };
  data?: Record<string, string>;
  rules?: { verbs: string[]; resources: string[]; apiGroups: string[] }[];
}

const objects = parseAllDocuments(files['deploy/pgherd.yaml'] ?? '').map(doc => doc.toJS() as Parsed);

describe('deploy/', () => {
  it.each(Object.keys(files))('%s is what scripts/deployFiles.ts writes', path => {
    expect(read(path)).toBe(files[path]);
  });

  it('names every object of the plain YAML once', () => {
    const names = objects.map(object => `${object.kind} ${object.metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain('CustomResourceDefinition postgresqls.acid.zalan.do');
  });

  it('gives the operator a configuration that it takes', () => {
    const text = objects.find(object => object.kind === 'ConfigMap')?.data?.['operator.yaml'];
    expect(operatorConfigSchema.parse(parse(text ?? '')).watchedNamespaces).toEqual(['*']);
    expect(() =>
      installValuesSchema(version).parse(parse(files['deploy/chart/values.yaml'] ?? '')),
    ).not.toThrow();
  });

  it('gives no right to everything', () => {
    for (const rule of objects.flatMap(object => object.rules ?? [])) {
      expect([...rule.verbs, ...rule.resources, ...rule.apiGroups]).not.toContain('*');
    }
  });

  it('opens and closes as many conditions in the chart', () => {
    const text = files['deploy/chart/templates/operator.yaml'] ?? '';
    const opened = text.match(/\{\{- (if|range) /g) ?? [];
    expect(text.match(/\{\{- end \}\}/g)).toHaveLength(opened.length);
    expect(text).not.toContain('EXPRESSION');
  });
});
