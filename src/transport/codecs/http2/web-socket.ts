import { createHash } from 'node:crypto';

export const webSocketKey = 'sec-websocket-key';
/** RFC 6455 §1.3. */
const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The Sec-WebSocket-Accept that a server of HTTP/1.1 would have answered; an extended CONNECT has none. */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}${guid}`).digest('base64');
}
