import type { Section } from './section.ts';

/** Of `hash_policy` MOSN reads the first entry only; without one the client's address counts, as it does here. */
export function hashPolicyOf(route: Section<'hash_policy'>): object | null {
  const [first, ...others] = route.sections('hash_policy', { read: ['header', 'cookie', 'source_ip'] });
  for (const other of others) {
    route.report.notice(other, 'another entry', 'no effect: MOSN reads the first hash policy only');
  }
  if (first === undefined) return null;
  const cookie = first.section('cookie', {
    read: ['name'],
    ineffective: { path: 'no cookie is set', ttl: 'no cookie is set' },
  });
  const header = first.section('header', { read: ['key'] });
  // As in MOSN the cookie wins over the header.
  if (cookie !== null) return { cookie: cookie.required('name') };
  if (header !== null) return { header: header.required('key') };
  return { source: true };
}
