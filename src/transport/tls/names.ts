import type { SanMatcherConfig } from '../../core/contract/config.ts';

/**
 * Names of one kind in `X509Certificate.subjectAltName`. Values that hold a comma or a quote stand there as JSON
 * strings, so that a name cannot pretend to be two.
 */
export function namesOf(subjectAltName: string | undefined, kind: 'URI' | 'DNS' | 'IP Address'): string[] {
  const names: string[] = [];
  for (const match of (subjectAltName ?? '').matchAll(/(?:^|, )([\w ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)) {
    if (match[1] === kind) names.push(unquoted(match[2] as string));
  }
  return names;
}

function unquoted(text: string): string {
  return text.startsWith('"') ? (JSON.parse(text) as string) : text;
}

/** The SPIFFE id, which must be the only URI of its certificate (SPIFFE X.509-SVID §2); null: none. */
export function spiffeIdOf(subjectAltName: string | undefined): string | null {
  const uris = namesOf(subjectAltName, 'URI');
  const id = uris.length === 1 ? (uris[0] as string) : '';
  return /^spiffe:\/\/[a-z0-9._-]{1,255}(\/[\w.-]+)*$/.test(id) ? id : null;
}

export function trustDomainOf(spiffeId: string): string {
  return spiffeId.slice('spiffe://'.length).split('/', 1)[0] as string;
}

/** Whether one of the names is what one of the matchers asks for; without matchers any is. */
export function matchesNames(
  subjectAltName: string | undefined,
  matchers: readonly SanMatcherConfig[],
): boolean {
  return (
    matchers.length === 0 ||
    matchers.some((each) => {
      const names = namesOf(subjectAltName, each.type === 'uri' ? 'URI' : 'DNS');
      return names.some((name) => isMatch(name, each));
    })
  );
}

function isMatch(name: string, { exact, prefix, suffix }: SanMatcherConfig): boolean {
  if (exact !== undefined) return name === exact;
  if (prefix !== undefined) return name.startsWith(prefix);
  return suffix !== undefined && name.endsWith(suffix);
}
