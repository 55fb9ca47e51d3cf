import { parseManifest } from '../../../core/manifest/parse.ts';
import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import type { LiveObject } from '../api/kinds.ts';
import type { OperatorConfig } from '../config.ts';
import { judgeSpec } from '../objects/index.ts';
import type { Trouble } from '../status/compute.ts';

export type ReadManifest =
  | { ok: true; spec: ClusterSpec; warnings: string[] }
  | { ok: false; trouble: Trouble };

/** Faults named in one message; the rest are counted. */
const SHOWN = 5;

/**
 * Reads the object of the API server with the parser that reads files: the same rules and sentences. What the operator
 * cannot do with it (an image it does not have) counts as a fault of the manifest too.
 */
export function readManifest(cluster: LiveObject, config: OperatorConfig): ReadManifest {
  const { name, namespace, labels, annotations } = cluster.metadata;
  const text = JSON.stringify({
    apiVersion: cluster.apiVersion,
    kind: cluster.kind,
    metadata: { name, namespace, labels, annotations },
    spec: cluster.spec,
  });
  const parsed = parseManifest(text, { platform: 'kubernetes' });
  if (!parsed.ok) return { ok: false, trouble: troubleOf(parsed.errors) };
  const judged = judgeSpec(parsed.spec, config);
  if (judged.errors.length > 0) return { ok: false, trouble: troubleOf(judged.errors) };
  const warnings = [...parsed.warnings, ...judged.warnings].map(
    ({ path, message, hint }) => `${path}: ${message}; ${hint}`,
  );
  return { ok: true, spec: parsed.spec, warnings };
}

function troubleOf(faults: { path: string; message: string; hint: string }[]): Trouble {
  const shown = faults.slice(0, SHOWN).map(({ path, message, hint }) => {
    const place = message.startsWith(path) ? '' : `${path}: `;
    return `${place}${message} (${hint})`;
  });
  const more = faults.length > SHOWN ? [`and ${faults.length - SHOWN} more`] : [];
  return { reason: 'InvalidManifest', message: [...shown, ...more].join('; ') };
}
