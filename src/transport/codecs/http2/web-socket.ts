import { createHash, randomBytes } from 'node:crypto';

export const webSocketKey = 'sec-websocket-key';
/** RFC 6455 §1.3. */
const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The Sec-WebSocket-Accept that a server of HTTP/1.1 would have answered; an extended CONNECT has none. */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}${guid}`).digest('base64');
}

/** A Sec-WebSocket-Key for an upstream of HTTP/1.1; what an extended CONNECT brings has none. */
export function freshKey(): string {
  return randomBytes(16).toString('base64');
}
