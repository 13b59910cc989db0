import { createHash } from 'node:crypto';

const service = 'zookeeper';
/** What every ZooKeeper server calls itself for DIGEST-MD5 (ZooKeeperSaslServer, SaslServerPrincipal). */
const serverName = 'zk-sasl-md5';
const maxChallengeBytes = 2048;

export interface DigestMd5Answer {
  readonly response: string;
  /** What the server has to show in turn: it knows the password, too. */
  readonly proof: string;
}

/**
 * Answers a DIGEST-MD5 challenge (RFC 2831 §2.1.2, qop=auth, algorithm=md5-sess). MD5 keeps a password from who only
 * listens, no more: where the network is not trusted, use TLS beside it.
 *
 * @param clientNonce unguessable text of this exchange
 * @throws Error that says what of the challenge cannot be answered
 */
export function answerDigestMd5(
  challenge: string,
  user: string,
  password: string,
  clientNonce: string,
): DigestMd5Answer {
  if (challenge.length > maxChallengeBytes) throw new Error('the challenge is too long');
  const directives = parseDirectives(challenge);
  const nonce = directives.get('nonce');
  if (nonce === undefined) throw new Error('the challenge has no nonce');
  const qops = (directives.get('qop') ?? 'auth').split(',').map((each) => each.trim());
  if (!qops.includes('auth')) throw new Error(`the server wants qop ${qops.join(', ')}, only auth is known`);
  const realm = directives.get('realm') ?? serverName;
  const uri = `${service}/${serverName}`;
  const secret = md5(Buffer.from(`${user}:${realm}:${password}`, 'utf8'));
  const a1 = md5(Buffer.concat([secret, Buffer.from(`:${nonce}:${clientNonce}`)])).toString('hex');
  const sign = (a2: string): string => {
    const hashed = md5(Buffer.from(a2)).toString('hex');
    return md5(Buffer.from(`${a1}:${nonce}:00000001:${clientNonce}:auth:${hashed}`)).toString('hex');
  };
  const response = [
    'charset=utf-8',
    `username=${quoted(user)}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    'nc=00000001',
    `cnonce=${quoted(clientNonce)}`,
    `digest-uri=${quoted(uri)}`,
    'maxbuf=65536',
    `response=${sign(`AUTHENTICATE:${uri}`)}`,
    'qop=auth',
  ].join(',');
  return { response, proof: `rspauth=${sign(`:${uri}`)}` };
}

/** `name=value` or `name="value"`, separated by commas. */
function parseDirectives(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name = '', inQuotes, plain] of text.matchAll(
    /([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g,
  )) {
    const value = inQuotes === undefined ? (plain ?? '') : inQuotes.replace(/\\(.)/g, '$1');
    if (!found.has(name.toLowerCase())) found.set(name.toLowerCase(), value);
  }
  return found;
}

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

const md5 = (bytes: Buffer): Buffer => createHash('md5').update(bytes).digest();
