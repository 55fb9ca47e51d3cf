import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * A SCRAM-SHA-256 verifier (RFC 5803) as PostgreSQL stores it. Sent instead of the password itself, which thus
 * never stands in a statement that a server may log.
 */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16), iterations = 4096): string {
  const salted = pbkdf2Sync(password.normalize('NFKC'), salt, iterations, 32, 'sha256');
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${hmac('Server Key').toString('base64')}`;
}

/** Whether a verifier of PostgreSQL belongs to the password. One of another method (md5) never does. */
export function verifierMatches(password: string, verifier: string): boolean {
  const parts = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/.exec(verifier);
  if (parts?.[1] === undefined || parts[2] === undefined) return false;
  const again = scramVerifier(password, Buffer.from(parts[2], 'base64'), Number(parts[1]));
  return timingSafeEqual(digest(again), digest(verifier));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
