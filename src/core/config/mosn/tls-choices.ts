import type { TlsSection } from './tls.ts';

/** MOSN's names of cipher suites that are not OpenSSL's. */
const opensslNames: Readonly<Record<string, string>> = {
  'ECDHE-ECDSA-WITH-CHACHA20-POLY1305': 'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-WITH-CHACHA20-POLY1305': 'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-RSA-AES256-CBC-SHA': 'ECDHE-RSA-AES256-SHA',
  'ECDHE-RSA-AES128-CBC-SHA': 'ECDHE-RSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-CBC-SHA': 'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-ECDSA-AES128-CBC-SHA': 'ECDHE-ECDSA-AES128-SHA',
  'RSA-AES256-CBC-SHA': 'AES256-SHA',
  'RSA-AES128-CBC-SHA': 'AES128-SHA',
  'AES256-GCM-SHA384': 'TLS_AES_256_GCM_SHA384',
  'AES128-GCM-SHA256': 'TLS_AES_128_GCM_SHA256',
};
const sameNames = [
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
];
const broken = ['ECDHE-RSA-3DES-EDE-CBC-SHA', 'RSA-3DES-EDE-CBC-SHA'];
/** A list of suites of TLS 1.2 alone would turn TLS 1.3 off, which MOSN's does not: its suites are fixed there. */
const tls13 = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256';

export function ciphersOf(section: TlsSection): { ciphers?: string } {
  const text = section.text('cipher_suites');
  if (text === '') return {};
  const names: string[] = [];
  for (const name of text.split(':')) {
    const known = opensslNames[name] ?? (sameNames.includes(name) ? name : null);
    if (known !== null) names.push(known);
    else if (broken.includes(name)) {
      section.report.notice(section.at('cipher_suites'), name, 'left out: OpenSSL has no 3DES any more');
    } else {
      const all = [...sameNames, ...Object.keys(opensslNames)];
      section.report.problem(section.at('cipher_suites'), name, `names of ${all.join(', ')}`, all);
    }
  }
  const has13 = names.some((name) => name.startsWith('TLS_'));
  return { ciphers: (has13 ? names : [tls13, ...names]).join(':') };
}

const groups: Readonly<Record<string, string>> = {
  x25519: 'X25519',
  p256: 'P-256',
  p384: 'P-384',
  p521: 'P-521',
};

export function curvesOf(section: TlsSection): { curves?: string } {
  const text = section.text('ecdh_curves');
  if (text === '') return {};
  const known = Object.keys(groups);
  const names = text.split(',').map((name) => {
    const group = groups[name.toLowerCase()];
    if (group === undefined)
      section.report.problem(section.at('ecdh_curves'), name, `names of ${known.join(', ')}`, known);
    return group ?? '';
  });
  return { curves: names.join(':') };
}

const versions = ['tls_auto', 'tlsv1_0', 'tlsv1_1', 'tlsv1_2', 'tlsv1_3'];

/** TLS 1.2 is the least. MOSN leaves TLS 1.3 off where GODEBUG does not turn it on; here it is on. */
export function versionsOf(section: TlsSection): { minVersion?: string; maxVersion?: string } {
  const [min, max] = [versionOf(section, 'min_version'), versionOf(section, 'max_version')];
  if (min === 'tlsv1_0' || min === 'tlsv1_1') {
    section.report.notice(section.at('min_version'), min, 'taken for tlsv1_2: what is older is broken');
  }
  if (max === 'tlsv1_0' || max === 'tlsv1_1') {
    section.report.problem(section.at('max_version'), max, 'tlsv1_2 or tlsv1_3: what is older is broken');
  }
  return {
    ...(min === 'tlsv1_3' ? { minVersion: 'TLSv1.3' } : {}),
    ...(max === 'tlsv1_2' ? { maxVersion: 'TLSv1.2' } : {}),
  };
}

function versionOf(section: TlsSection, key: 'min_version' | 'max_version'): string {
  const text = section.text(key).toLowerCase();
  if (text !== '' && !versions.includes(text)) {
    section.report.problem(section.at(key), text, `one of ${versions.join(', ')}`, versions);
  }
  return text;
}

const protocols = ['h2', 'http/1.1', 'sofa'];

export function protocolsOf(section: TlsSection): { alpn?: string[] } {
  const text = section.text('alpn');
  if (text === '') return {};
  const names = text.split(',');
  for (const name of names.filter((name) => !protocols.includes(name.toLowerCase()))) {
    section.report.problem(section.at('alpn'), name, `names of ${protocols.join(', ')}`, protocols);
  }
  return { alpn: names };
}
