import type { Findings } from '../findings.ts';
import type { Path } from '../path.ts';
import type { SpecSource } from '../schemaSpec.ts';
import type { JsonValue, Place } from '../yamlTree.ts';
import { ownedParameters, refusedValues, riskyValues } from './ownedParameters.ts';

export const parametersPath: Path = ['spec', 'postgresql', 'parameters'];

const parameterName = /^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)*$/;

/**
 * Turns `max_connections: 200` into `"200"`, as typed: a mistake too common to refuse, and never ambiguous.
 * The API server would refuse it, so each gets a warning.
 */
export function quoteParameters(
  parameters: JsonValue | undefined,
  place: Place | undefined,
  findings: Findings,
): void {
  if (parameters === null || typeof parameters !== 'object' || Array.isArray(parameters)) return;
  for (const [name, value] of Object.entries(parameters)) {
    if (typeof value !== 'number' && typeof value !== 'boolean') continue;
    const written = place?.children?.get(name)?.written ?? String(value);
    parameters[name] = written;
    findings.warn([...parametersPath, name], {
      code: 'unquoted-value',
      message: `the value of ${name} is not in quotes`,
      hint: `read as "${written}"; Kubernetes would refuse it: put it in quotes`,
    });
  }
}

/** The only names that PostgreSQL itself spells with capitals. */
const canonical = new Map(['DateStyle', 'IntervalStyle', 'TimeZone'].map(name => [name.toLowerCase(), name]));

/**
 * The parameters to hand to PostgreSQL: those that pgherd or Patroni set themselves are refused or left out.
 * Names come in PostgreSQL's own spelling, so that they can be compared with defaults and with pg_settings.
 */
export function readParameters(spec: SpecSource, findings: Findings): Record<string, string> {
  const kept: Record<string, string> = {};
  const seen = new Map<string, string>();
  for (const [name, value] of Object.entries(spec.postgresql.parameters ?? {})) {
    const path = [...parametersPath, name];
    const key = name.toLowerCase();
    const twin = seen.get(key);
    if (twin !== undefined) {
      findings.error(
        path,
        {
          code: 'duplicate-key',
          message: `${name} and ${twin} are the same parameter`,
          hint: 'keep one of the two: PostgreSQL does not tell their cases apart',
        },
        'key',
      );
      continue;
    }
    seen.set(key, name);
    if (!parameterName.test(name) || name.length > 63 * 2) {
      findings.error(
        path,
        {
          code: 'wrong-name',
          message: `${JSON.stringify(name)} is no name of a parameter`,
          hint: 'write the name as in postgresql.conf: work_mem, auto_explain.log_min_duration',
        },
        'key',
      );
      continue;
    }
    // A line break would start a line of its own in postgresql.conf.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    if (/[\u0000-\u001f\u007f]/.test(value)) {
      findings.error(path, {
        code: 'wrong-value',
        message: `the value of ${name} contains a line break or another control character`,
        hint: 'write it on one line',
      });
      continue;
    }
    if (keeps(name, value, path, findings)) kept[canonical.get(key) ?? key] = value;
  }
  checkSenders(spec, kept, findings);
  return kept;
}

/** False when pgherd answers for the parameter itself; what that means for the manifest is reported. */
function keeps(name: string, value: string, path: Path, findings: Findings): boolean {
  const key = name.toLowerCase();
  const word = value.trim().toLowerCase();
  const owned = ownedParameters.get(key);
  if (owned !== undefined) {
    if (owned.setAside || owned.inForce?.includes(word)) {
      findings.warn(path, {
        code: 'parameter-set-by-pgherd',
        message: `${name} is set by pgherd: ${owned.why}`,
        hint: owned.setAside ? owned.remedy : `it is ${value} anyway: the line is not needed`,
      });
    } else {
      findings.error(path, {
        code: 'parameter-set-by-pgherd',
        message: `${name} cannot be set: ${owned.why}`,
        hint: owned.remedy,
      });
    }
    return false;
  }
  const refused = refusedValues.get(key);
  if (refused?.values.includes(word)) {
    findings.error(path, {
      code: 'wrong-value',
      message: `${name} cannot be ${value}: ${refused.why}`,
      hint: refused.remedy,
    });
    return false;
  }
  const risky = riskyValues.get(key);
  if (risky?.values.includes(word)) {
    findings.warn(path, {
      code: 'risky-value',
      message: `with ${name} = ${value}, ${risky.risk}`,
      hint: 'delete the line unless the data can be made again',
    });
  }
  return true;
}

/** Too few senders or slots, and standbys cannot stream: PostgreSQL would start and the cluster never get well. */
function checkSenders(spec: SpecSource, parameters: Record<string, string>, findings: Findings): void {
  if (findings.hasErrorWithin(['spec', 'numberOfInstances'])) return;
  const needs: Record<string, number> = {
    max_wal_senders: spec.numberOfInstances + 1,
    max_replication_slots: spec.numberOfInstances - 1,
  };
  for (const [name, value] of Object.entries(parameters)) {
    const needed = needs[name.toLowerCase()];
    if (needed === undefined || !/^\d+$/.test(value) || Number(value) >= needed) continue;
    findings.error([...parametersPath, name], {
      code: 'out-of-range',
      message: `${name} = ${value} is too low for ${spec.numberOfInstances} instances`,
      hint: `write at least "${needed}", or delete the line`,
    });
  }
}
