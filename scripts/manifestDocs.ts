/**
 * Writes docs/manifest.md from the schema and the support table; with --check it only compares, and exits 1 when
 * the page is out of date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { renderManifestDocs } from '../src/core/manifest/docs.ts';

const page = new URL('../docs/manifest.md', import.meta.url);
const text = renderManifestDocs();

if (!process.argv.includes('--check')) {
  writeFileSync(page, text);
} else if (readFileSync(page, 'utf8') !== text) {
  process.stderr.write('docs/manifest.md is out of date: run `node scripts/manifestDocs.ts`\n');
  process.exitCode = 1;
}
