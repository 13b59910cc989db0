const alphabet = /^[A-Za-z0-9+/=]*$/;
const noBytes: Buffer = Buffer.alloc(0);

/**
 * Base64 as gRPC-Web sends it: segments one behind the other, each padded or not, cut anywhere.
 *
 * @param end nothing follows
 * @returns the bytes of all whole groups and the characters left over; null when it is no base64
 */
export function decodeSegments(text: string, end: boolean): { bytes: Buffer; rest: string } | null {
  if (!alphabet.test(text)) return null;
  const usable = end ? text.length : text.length - (text.length % 4);
  // One character is no byte.
  if (end && text.length % 4 === 1) return null;
  const parts: Buffer[] = [];
  for (let at = 0; at < usable; ) {
    const padding = text.indexOf('=', at);
    const to = padding < 0 || padding >= usable ? usable : padding - (padding % 4) + 4;
    const part = Buffer.from(text.slice(at, to), 'base64');
    if (padding >= 0 && padding < to && !isPadding(text.slice(padding, to))) return null;
    parts.push(part);
    at = to;
  }
  const bytes =
    parts.length === 1 ? (parts[0] as Buffer) : parts.length === 0 ? noBytes : Buffer.concat(parts);
  return { bytes, rest: text.slice(usable) };
}

const isPadding = (text: string): boolean => text === '=' || text === '==';

/** One padded segment. */
export function encodeChunk(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('base64'), 'latin1');
}
