import type { LogLine } from '../../platform/contract.ts';
import type { LogDocument } from '../schema.ts';
import type { Look } from '../text/look.ts';

/** A log line as JSON. */
export function logLineToDocument({ at, component, text }: LogLine): LogDocument {
  return { schema: 1, at, component, text };
}

/** A log line for people; each component keeps its colour. */
export function logLineText({ at, component, text }: LogLine, width: number, look: Look): string {
  return `${look.faint(at)}  ${look.named(component, component.padEnd(width))}  ${text}`.trimEnd();
}
