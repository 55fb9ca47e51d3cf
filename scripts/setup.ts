import { messageOf, PgherdError, RefusedError } from '../src/lib/errors.ts';
import { defaultToolsDir, inspectTools, installTools, isReady } from '../src/platform/local/setup/index.ts';

/**
 * Installs the servers that tests need: `node scripts/setup.ts [MAJOR]`. For `npm test` only; people use
 * `pgherd setup`. Exit: 0 ready, 2 refused (no root), 1 failed.
 */
const controller = new AbortController();
process.once('SIGINT', () => controller.abort(new Error('interrupted')));
process.once('SIGTERM', () => controller.abort(new Error('terminated')));
const say = (text: string): boolean => process.stderr.write(`setup: ${text}\n`);

try {
  const { signal } = controller;
  const major = process.argv[2];
  const report = await inspectTools({
    majorWanted: major === undefined ? undefined : Number(major),
    toolsDir: defaultToolsDir(process.env, process.getuid?.() ?? 0),
    signal,
  });
  const ready = isReady(report) ? report : await installTools(report, { onProgress: say, signal });
  process.stdout.write(`${JSON.stringify(ready, null, 2)}\n`);
} catch (error) {
  say(messageOf(error));
  if (error instanceof PgherdError) {
    if (error.detail) say(error.detail);
    if (error.hint) say(`to do: ${error.hint}`);
  } else if (!controller.signal.aborted) {
    throw error;
  }
  process.exitCode = error instanceof RefusedError ? 2 : 1;
}
