/**
 * Holds the tree to design.md: which room may import which, and no cycles. Run by `npm run check`; prints each
 * offence with the rule it breaks and exits 1.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** One contract in several files; who uses it imports contract.ts, which names them all. */
const CONTRACT = ['', 'Access', 'Backup', 'Dumps', 'Moves', 'Restore'].map(
  part => `src/platform/contract${part}.ts`,
);

/** A room is the longest prefix that matches. `may`: prefixes it may import from, its own always included. */
const RULES: { room: string; may: string[]; packages?: string[] }[] = [
  { room: 'src/lib', may: [], packages: [] },
  // lib's pure part only: no file below core may do IO.
  { room: 'src/core', may: ['src/lib/errors.ts'], packages: ['zod', 'yaml', 'croner'] },
  ...['postgres', 'patroni', 'etcd', 'pgbouncer', 'haproxy', 'pgbackrest'].map(name => ({
    room: `src/engine/${name}`,
    may: ['src/core', 'src/lib'],
  })),
  ...CONTRACT.map(room => ({ room, may: ['src/core', ...CONTRACT] })),
  { room: 'src/platform/local', may: ['src/engine', 'src/core', 'src/lib', 'src/platform/contract.ts'] },
  {
    room: 'src/platform/kubernetes',
    may: ['src/engine', 'src/core', 'src/lib', 'src/platform/contract.ts'],
  },
  // What should exist is computed: no client, no clock, no file.
  {
    room: 'src/platform/kubernetes/objects',
    may: ['src/engine', 'src/core', 'src/lib/errors.ts', 'src/platform/kubernetes/config.ts'],
    packages: [],
  },
  { room: 'src/platform/kubernetes/config.ts', may: [], packages: ['zod'] },
  { room: 'src/control', may: ['src/backup', 'src/platform/contract.ts', 'src/core', 'src/lib'] },
  { room: 'src/backup', may: ['src/platform/contract.ts', 'src/core', 'src/lib'] },
  {
    room: 'src/drill',
    may: ['src/backup', 'src/control', 'src/platform/contract.ts', 'src/engine', 'src/core', 'src/lib'],
  },
  // Pages are pure functions.
  { room: 'src/drill/report', may: [], packages: [] },
  {
    room: 'src/cli',
    may: [
      'src/backup',
      'src/control',
      'src/drill',
      'src/platform/contract.ts',
      'src/platform/local',
      'src/core',
      'src/engine',
      'src/lib',
    ],
  },
  { room: 'src/main.ts', may: ['src'] },
];

interface Import {
  from: string;
  to: string;
  typeOnly: boolean;
}

function importsOf(file: string): { local: Import[]; packages: string[] } {
  const text = readFileSync(file, 'utf8');
  const local: Import[] = [];
  const packages: string[] = [];
  for (const match of text.matchAll(
    /^\s*(?:import|export)\s+(type\s)?[^;'"]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)/gm,
  )) {
    const target = match[2] ?? match[3] ?? '';
    if (target.startsWith('.')) {
      local.push({
        from: file,
        to: normalize(join(dirname(file), target)),
        typeOnly: match[1] !== undefined,
      });
    } else if (!target.startsWith('node:')) packages.push(target);
  }
  return { local, packages };
}

function ruleOf(file: string) {
  return RULES.filter(rule => file === rule.room || file.startsWith(`${rule.room}/`)).sort(
    (a, b) => b.room.length - a.room.length,
  )[0];
}

function isTest(file: string): boolean {
  return file.endsWith('.unit.test.ts') || file.includes('/testing/');
}

function offences(): string[] {
  const files = globSync('src/**/*.{ts,tsx}').sort();
  const found: string[] = [];
  const graph = new Map<string, string[]>();
  for (const file of files) {
    const rule = ruleOf(file);
    if (rule === undefined) {
      found.push(`${file}: no rule for this room; add one to scripts/checkImports.ts`);
      continue;
    }
    const { local, packages } = importsOf(file);
    // Types vanish at run time: they cannot make a cycle.
    graph.set(
      file,
      local.filter(item => !item.typeOnly).map(item => item.to),
    );
    if (isTest(file)) continue;
    for (const { to } of local) {
      const allowed = [rule.room, ...rule.may].some(prefix => to === prefix || to.startsWith(`${prefix}/`));
      if (!allowed) found.push(`${file}: ${rule.room} may not import ${to}`);
    }
    for (const name of packages) {
      if (rule.packages !== undefined && !rule.packages.includes(name))
        found.push(`${file}: ${rule.room} may not import the package ${name}`);
    }
    if (file.startsWith('src/core/') && /from 'node:(?!util)/.test(readFileSync(file, 'utf8'))) {
      found.push(`${file}: core is pure, it may not import Node's modules`);
    }
  }
  return [...found, ...cycles(graph)];
}

/** Each cycle once, as the path that closes it. */
function cycles(graph: Map<string, string[]>): string[] {
  const found: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const path: string[] = [];
  const visit = (file: string): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      found.push(`cycle: ${[...path.slice(path.indexOf(file)), file].join(' > ')}`);
      return;
    }
    state.set(file, 'open');
    path.push(file);
    for (const next of graph.get(file) ?? []) visit(next);
    path.pop();
    state.set(file, 'done');
  };
  for (const file of graph.keys()) visit(file);
  return found;
}

const found = offences();
process.stdout.write(
  found.length === 0 ? 'imports: every room keeps to its rules\n' : `${found.join('\n')}\n`,
);
process.exitCode = found.length === 0 ? 0 : 1;
