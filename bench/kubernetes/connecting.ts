/**
 * What new clients of a Service notice of a lost node: every 100 ms one connects, by TCP and the first word of PostgreSQL's
 * protocol, and waits two seconds for the answer. Prints every failure's second, and when the last one began. To be run where
 * addresses of Services can be reached, such as on a node.
 *
 *   node bench/kubernetes/connecting.ts ADDRESS SECONDS
 */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const [host = '', seconds = '60'] = process.argv.slice(2);
const EVERY_MS = 100;
const ANSWER_MS = 2_000;
/** "May I speak TLS?": PostgreSQL and PgBouncer answer it before they know who asks. */
const QUESTION = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

function answers(): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host, port: 5432 }, () => socket.write(QUESTION));
    const end = (answered: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answered);
    };
    const timer = setTimeout(() => end(false), ANSWER_MS);
    socket.once('data', () => end(true));
    socket.once('error', () => end(false));
    socket.once('end', () => end(false));
  });
}

const failed: number[] = [];
const began = Date.now();
const attempts: Promise<void>[] = [];
while (Date.now() - began < Number(seconds) * 1000) {
  const at = Date.now();
  attempts.push(answers().then(answered => void (answered || failed.push(at))));
  await delay(EVERY_MS);
}
await Promise.all(attempts);
failed.sort((a, b) => a - b);
const [first, last] = [failed[0], failed.at(-1)];
const told = {
  attempts: attempts.length,
  failed: failed.length,
  first: first === undefined ? undefined : new Date(first).toISOString(),
  seconds: first === undefined || last === undefined ? 0 : (last - first) / 1000,
};
process.stdout.write(`${JSON.stringify(told)}\n`);
