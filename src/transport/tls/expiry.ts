import { X509Certificate } from 'node:crypto';
import type { TlsSecrets } from '../../core/contract/secret-source.ts';
import type { Health } from '../../core/contract/state.ts';
import { namesOf, spiffeIdOf } from './names.ts';

const dayMs = 86_400_000;
const longestWarningMs = 14 * dayMs;

/** When the first of several certificates ends. */
export interface Expiry {
  /** Of the certificate. */
  readonly name: string;
  readonly untilMs: number;
  /** From when on to say so. */
  readonly warnMs: number;
  /** `untilMs` for people. */
  readonly text: string;
}

/**
 * A quarter of its lifetime is when whoever renews a certificate should have done so: 6 hours of a day, 14 days at most.
 * Null without certificates.
 */
export function expiryOf({ certificates }: TlsSecrets, warningDays: number | undefined): Expiry | null {
  let first: Expiry | null = null;
  for (const { cert } of certificates) {
    const certificate = new X509Certificate(cert);
    const untilMs = certificate.validToDate.getTime();
    if (first !== null && first.untilMs <= untilMs) continue;
    const lifetimeMs = untilMs - certificate.validFromDate.getTime();
    const warningMs =
      warningDays === undefined ? Math.min(lifetimeMs / 4, longestWarningMs) : warningDays * dayMs;
    const text = new Date(untilMs).toISOString();
    first = { name: nameOf(certificate), untilMs, warnMs: untilMs - warningMs, text };
  }
  return first;
}

function nameOf({ subjectAltName, subject }: X509Certificate): string {
  return spiffeIdOf(subjectAltName) ?? namesOf(subjectAltName, 'DNS')[0] ?? subject.replaceAll('\n', ', ');
}

/** @returns the state now and when it may be another */
export function judgeExpiry(
  expiry: Expiry | null,
  nowMs: number,
): { status: Health['status']; reason: string; nextMs: number } {
  if (expiry === null) return { status: 'ok', reason: '', nextMs: Number.POSITIVE_INFINITY };
  const { name, untilMs, warnMs, text } = expiry;
  if (nowMs >= untilMs) {
    return {
      status: 'failed',
      reason: `the certificate of ${name} expired at ${text}`,
      nextMs: Number.POSITIVE_INFINITY,
    };
  }
  if (nowMs >= warnMs) {
    return { status: 'degraded', reason: `the certificate of ${name} expires at ${text}`, nextMs: untilMs };
  }
  return { status: 'ok', reason: '', nextMs: warnMs };
}
