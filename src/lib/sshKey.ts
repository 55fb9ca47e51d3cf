/** Keys of SSH, of one kind: ECDSA with P-256, which every server and client of today knows. */
import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';

const TYPE = 'ecdsa-sha2-nistp256';

/** A new private key as PEM, without a passphrase. */
export function newSshKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return privateKey.export({ type: 'sec1', format: 'pem' }).toString();
}

/** The line of a file of authorised keys. */
export function sshPublicLine(privateKey: string): string {
  return `${TYPE} ${publicBlob(privateKey).toString('base64')}`;
}

/** SHA-256 of the public key in hexadecimal digits: what a client holds a server to. */
export function sshFingerprint(privateKey: string): string {
  return createHash('sha256').update(publicBlob(privateKey)).digest('hex');
}

/** RFC 5656, 3.1. Throws where it is no key of this kind. */
function publicBlob(privateKey: string): Buffer {
  const { x = '', y = '', crv } = createPublicKey(privateKey).export({ format: 'jwk' });
  if (crv !== 'P-256') throw new TypeError('it is no ECDSA key with P-256');
  const point = [Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')];
  return Buffer.concat([text(TYPE), text('nistp256'), text(Buffer.concat(point))]);
}

function text(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
