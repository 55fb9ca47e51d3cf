/**
 * What our certificates are like, as arguments of `openssl req -x509`: both platforms make theirs by these.
 */
import type { X509Certificate } from 'node:crypto';

/** Certificates of servers live two years and are renewed when a third of that is left. */
const LEAF_DAYS = 730;
const CA_DAYS = 3650;
const KEY_OPTIONS = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** A certificate authority of its own. */
export function authorityArguments(commonName: string): string[] {
  return [
    ...['req', '-x509', ...KEY_OPTIONS],
    ...['-subj', `/CN=${commonName}`, '-days', String(CA_DAYS)],
    // Python 3.13 takes no authority without it.
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  ];
}

/** A certificate for servers and clients. `names` in openssl's form: `DNS:localhost`, `IP:127.0.0.1`. */
export function leafArguments(
  commonName: string,
  names: string[],
  authority: { cert: string; key: string },
): string[] {
  return [
    ...['req', '-x509', ...KEY_OPTIONS],
    ...['-subj', `/CN=${commonName}`, '-days', String(LEAF_DAYS)],
    ...['-CA', authority.cert, '-CAkey', authority.key],
    ...['-addext', `subjectAltName=${names.join(',')}`],
    ...['-addext', 'basicConstraints=critical,CA:FALSE'],
    ...['-addext', 'extendedKeyUsage=serverAuth,clientAuth'],
    ...['-addext', 'keyUsage=critical,digitalSignature'],
  ];
}

export function daysLeft(certificate: X509Certificate, now: Date): number {
  return (certificate.validToDate.getTime() - now.getTime()) / 86_400_000;
}

export function isDueForRenewal(certificate: X509Certificate, now: Date): boolean {
  return daysLeft(certificate, now) < LEAF_DAYS / 3;
}
