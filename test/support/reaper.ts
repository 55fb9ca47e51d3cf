/**
 * Runs beside a test file, in a session of its own, and waits until its standard input ends: then whoever started
 * it is gone, be it by Ctrl-C, by a time-out of vitest or by kill -9. What still runs below the sandbox is killed
 * then, and the sandbox deleted. The sandbox is named by the first line, so that our own arguments do not hold it.
 */
import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { forgetHosts } from './hosts.ts';
import { killAllOf } from './processes.ts';

let input = '';
process.stdin.setEncoding('utf8');
for await (const chunk of process.stdin) input += chunk;

const [root = ''] = input.split('\n');
if (basename(root).startsWith('pgh-') && existsSync(root)) {
  killAllOf(join(root, 'state'));
  killAllOf(root);
  forgetHosts(join(root, 'state'), subnetsOf(join(root, 'state', 'clusters')));
  rmSync(root, { recursive: true, force: true, maxRetries: 5 });
}

/** First three numbers of the addresses of every cluster there. */
function subnetsOf(clusters: string): string[] {
  return globSync(join(clusters, '*', '*', 'cluster.json'))
    .map(path => /"subnet":\s*"([\d.]+)"/.exec(readFileSync(path, 'utf8'))?.[1])
    .filter(subnet => subnet !== undefined);
}
