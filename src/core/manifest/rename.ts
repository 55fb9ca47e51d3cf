import { parseDocument } from 'yaml';

/** The manifest of the same cluster under another name; everything else stays as it is written. */
export function renameManifest(text: string, name: string): string {
  const document = parseDocument(text);
  document.setIn(['metadata', 'name'], name);
  return String(document);
}
