import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderManifestDocs } from './docs.ts';
import { manifestSchema } from './schema.ts';
import { fieldsOf } from './schemaWalk.ts';

const page = readFileSync(new URL('../../../docs/manifest.md', import.meta.url), 'utf8');

describe('docs/manifest.md', () => {
  it('is up to date (otherwise run `node scripts/manifestDocs.ts`)', () => {
    expect(page).toBe(renderManifestDocs());
  });

  it('names every field once', () => {
    const named = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(match => match[1]);
    expect(named.toSorted()).toEqual(
      fieldsOf(manifestSchema)
        .map(field => field.path)
        .toSorted(),
    );
  });

  it('has tables of six columns only', () => {
    const odd = page
      .split('\n')
      .filter(line => line.startsWith('| `') && line.split(/(?<!\\)\|/).length !== 8);
    expect(odd).toEqual([]);
  });
});
