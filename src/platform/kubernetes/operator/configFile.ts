import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { messageOf, RefusedError } from '../../../lib/errors.ts';
import { type OperatorConfig, operatorConfigSchema } from '../config.ts';

/** Reads the operator's configuration, YAML or JSON. Rejects with RefusedError that names every fault with its place. */
export async function readOperatorConfig(path: string | undefined): Promise<OperatorConfig> {
  const content = path === undefined ? {} : await readYaml(path);
  const result = operatorConfigSchema.safeParse(content ?? {});
  if (result.success) return result.data;
  throw new RefusedError({
    code: 'operator-config-invalid',
    message: `the operator's configuration${path === undefined ? '' : ` ${path}`} is not valid`,
    detail: result.error.issues
      .map(issue => `${issue.path.length === 0 ? 'the file' : issue.path.join('.')}: ${issue.message}`)
      .join('\n'),
    hint: 'correct the fields named above; nothing was touched',
  });
}

async function readYaml(path: string): Promise<unknown> {
  try {
    return parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new RefusedError({
      code: 'operator-config-unreadable',
      message: `cannot read the operator's configuration ${path}`,
      detail: messageOf(cause),
      hint: 'name a YAML file with --config; nothing was touched',
      cause,
    });
  }
}
