/** What a TLS ClientHello says of itself (RFC 8446 §4.1.2, RFC 6066 §3, RFC 7301 §3.1). */
interface ClientHello {
  /** "" when there is none. Lower case. */
  readonly serverName: string;
  readonly alpn: readonly string[];
  /** The first 16 bytes of the session ticket that it offers (RFC 5077 §4: the name of its key); null: none. */
  readonly ticketKeyName: Buffer | null;
}

/** `none`: no TLS, or a hello that is not well formed. */
export type HelloReading = ClientHello | 'more' | 'none';

const handshake = 0x16;
const clientHello = 1;
const recordHeadBytes = 5;
/** RFC 8446 §5.1; a hello may be spread over several records. */
const maxRecordBytes = 16_384;
const serverNameExtension = 0;
const alpnExtension = 16;
const sessionTicketExtension = 35;
const preSharedKeyExtension = 41;
const keyNameBytes = 16;
const hostName = /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/;

/**
 * Reads the hello at the beginning of a connection, `buf[start, end)`. Cheap while bytes are missing: only record heads
 * are looked at until all of it is there, so a hello that comes byte by byte costs no more than its records a byte.
 *
 * @param maxBytes a hello that says it is longer is `none`
 */
export function parseClientHello(buf: Buffer, start: number, end: number, maxBytes: number): HelloReading {
  if (end - start >= 1 && buf[start] !== handshake) return 'none';
  if (end - start >= 2 && buf[start + 1] !== 3) return 'none';
  if (end - start >= recordHeadBytes + 1 && buf[start + recordHeadBytes] !== clientHello) return 'none';
  const hello = collect(buf, start, end, maxBytes);
  return typeof hello === 'string' ? hello : readHello(hello);
}

/** The handshake message without record heads and without its own. */
function collect(buf: Buffer, start: number, end: number, maxBytes: number): Buffer | 'more' | 'none' {
  const parts: Buffer[] = [];
  let have = 0;
  let wanted = 4;
  for (let at = start; ; ) {
    if (end - at < recordHeadBytes) return 'more';
    const size = buf.readUInt16BE(at + 3);
    if (buf[at] !== handshake || buf[at + 1] !== 3 || size === 0 || size > maxRecordBytes) return 'none';
    const from = at + recordHeadBytes;
    const until = Math.min(end, from + size);
    parts.push(buf.subarray(from, until));
    have += until - from;
    if (wanted === 4 && have >= 4) {
      const head = Buffer.concat(parts);
      if (head[0] !== clientHello) return 'none';
      wanted = 4 + head.readUIntBE(1, 3);
      if (wanted > maxBytes) return 'none';
    }
    if (wanted > 4 && have >= wanted) return Buffer.concat(parts).subarray(4, wanted);
    if (until < from + size) return 'more';
    at = until;
    // Records that carry next to nothing each are a way to make us look often.
    if (parts.length * recordHeadBytes > maxBytes) return 'none';
  }
}

function readHello(hello: Buffer): ClientHello | 'none' {
  // legacy_version, random
  let at = 34;
  // legacy_session_id u8, cipher_suites u16, compression_methods u8
  for (const width of [1, 2, 1]) {
    if (at + width > hello.length) return 'none';
    at += width + hello.readUIntBE(at, width);
  }
  if (at === hello.length) return { serverName: '', alpn: [], ticketKeyName: null };
  if (at + 2 > hello.length || at + 2 + hello.readUInt16BE(at) !== hello.length) return 'none';
  return readExtensions(hello, at + 2);
}

function readExtensions(hello: Buffer, start: number): ClientHello | 'none' {
  let serverName = '';
  let alpn: string[] = [];
  let ticketKeyName: Buffer | null = null;
  const seen = new Set<number>();
  for (let at = start; at < hello.length; ) {
    if (at + 4 > hello.length) return 'none';
    const type = hello.readUInt16BE(at);
    const until = at + 4 + hello.readUInt16BE(at + 2);
    // RFC 8446 §4.2: one of each; two server names would let two readers see two names.
    if (until > hello.length || seen.has(type)) return 'none';
    seen.add(type);
    const body = hello.subarray(at + 4, until);
    if (type === serverNameExtension) {
      const name = readServerName(body);
      if (name === null) return 'none';
      serverName = name;
    } else if (type === alpnExtension) {
      const names = readAlpn(body);
      if (names === null) return 'none';
      alpn = names;
    } else if (type === sessionTicketExtension || type === preSharedKeyExtension) {
      // pre_shared_key comes last and is the one that TLS 1.3 goes by.
      ticketKeyName = keyNameOf(type === preSharedKeyExtension ? firstIdentity(body) : body) ?? ticketKeyName;
    }
    at = until;
  }
  return { serverName, alpn, ticketKeyName };
}

/** RFC 8446 §4.2.11: identities u16, of each its length u16. */
function firstIdentity(body: Buffer): Buffer {
  if (body.length < 4) return body.subarray(0, 0);
  return body.subarray(4, 4 + body.readUInt16BE(2));
}

function keyNameOf(ticket: Buffer): Buffer | null {
  return ticket.length > keyNameBytes ? ticket.subarray(0, keyNameBytes) : null;
}

/** A list with one entry of type host_name. Null: malformed. */
function readServerName(body: Buffer): string | null {
  if (body.length < 5 || body.readUInt16BE(0) !== body.length - 2 || body[2] !== 0) return null;
  if (body.readUInt16BE(3) !== body.length - 5) return null;
  const name = body.toString('latin1', 5).toLowerCase();
  return name.length <= 253 && hostName.test(name) ? name : null;
}

function readAlpn(body: Buffer): string[] | null {
  if (body.length < 4 || body.readUInt16BE(0) !== body.length - 2) return null;
  const names: string[] = [];
  for (let at = 2; at < body.length; ) {
    const until = at + 1 + (body[at] as number);
    if (until === at + 1 || until > body.length) return null;
    names.push(body.toString('latin1', at + 1, until));
    at = until;
  }
  return names;
}
