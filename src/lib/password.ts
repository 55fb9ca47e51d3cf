import { randomBytes } from 'node:crypto';

/** 64 characters of the base64url alphabet without its two signs: safe in URLs, files and shells. */
export function randomPassword(): string {
  let text = '';
  while (text.length < 64) text += randomBytes(64).toString('base64url').replace(/[-_]/g, '');
  return text.slice(0, 64);
}
