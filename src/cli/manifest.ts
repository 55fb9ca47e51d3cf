import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import type { Diagnostic } from '../core/manifest/diagnostic.ts';
import { parseManifest } from '../core/manifest/parse.ts';
import type { ClusterSpec } from '../core/manifest/spec.ts';
import { codeOf, messageOf, PgherdError } from '../lib/errors.ts';
import type { Globals } from './globals.ts';
import { ManifestInvalidError } from './manifestError.ts';
import type { Surroundings } from './surroundings.ts';
import { UsageError } from './usage.ts';

export interface Manifest {
  /** As the user named it; `-` is standard input. */
  file: string;
  text: string;
  spec: ClusterSpec;
  warnings: Diagnostic[];
}

/** Reads and checks a manifest. Rejects with ManifestInvalidError, which carries every error at once. */
export async function readManifest(
  file: string,
  globals: Pick<Globals, 'namespace'>,
  surroundings: Pick<Surroundings, 'cwd' | 'stdin'>,
): Promise<Manifest> {
  const text = await readText(file, surroundings);
  const parsed = parseManifest(text, { platform: 'local' });
  const name = file === '-' ? 'stdin' : file;
  if (!parsed.ok) throw new ManifestInvalidError(name, text, parsed.errors, parsed.warnings);
  const { namespace } = globals;
  // The manifest alone says what a cluster is called: otherwise a second `up` without -n made another one.
  if (namespace !== undefined && namespace !== parsed.spec.namespace) {
    throw new UsageError(
      `the manifest puts ${parsed.spec.name} into namespace ${parsed.spec.namespace}, the command line into ${namespace}`,
      `write \`namespace: ${namespace}\` below \`metadata\`, or leave out --namespace`,
    );
  }
  return { file: name, text, spec: parsed.spec, warnings: parsed.warnings };
}

async function readText(file: string, { cwd, stdin }: Pick<Surroundings, 'cwd' | 'stdin'>): Promise<string> {
  try {
    return file === '-' ? await readAll(stdin) : await readFile(resolve(cwd, file), 'utf8');
  } catch (error) {
    const reasons: Record<string, string> = {
      ENOENT: 'there is no such file',
      EISDIR: 'it is a directory',
      EACCES: 'permission denied',
    };
    throw new PgherdError({
      code: 'manifest-unreadable',
      message: `${file} cannot be read: ${reasons[codeOf(error) ?? ''] ?? messageOf(error)}`,
      hint: 'name a manifest of kind `postgresql`, for example examples/wichtige-daten-3.yaml, or - for standard input',
      cause: error,
    });
  }
}
