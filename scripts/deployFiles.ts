/**
 * Writes deploy/pgherd.yaml and deploy/chart from src/platform/kubernetes/install; a unit test of that room compares
 * them.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { deployFiles } from '../src/platform/kubernetes/install/files.ts';

const root = new URL('../', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string };

for (const [path, text] of Object.entries(deployFiles(version))) {
  const file = new URL(path, root);
  mkdirSync(dirname(file.pathname), { recursive: true });
  writeFileSync(file, text);
}
