import type { HeadView } from '../../../core/base/head-view.ts';
import type { FramedProtocol } from './protocol.ts';

/** A message that did not come in one call: it is sent when it is complete, so that frames never mix. */
export interface GrowingMessage {
  readonly head: HeadView;
  readonly body: Buffer[];
  sizeBytes: number;
}

/** May the frame that `head` was read from leave as it is, with these body bytes? */
export function isUntouched(
  head: HeadView,
  protocol: FramedProtocol,
  buf: Buffer | null,
  a: number,
  b: number,
): boolean {
  if (head.framing !== protocol || head.isEdited || head.authorityChanged) return false;
  if (b - a !== head.bodyEnd - head.bodyStart || b - a !== head.contentLength) return false;
  if (buf === head.buf) return a === head.bodyStart;
  if (buf === null || a === b) return head.bodyStart === head.bodyEnd;
  // A view of the same bytes, kept for another try.
  return buf.buffer === head.buf.buffer && buf.byteOffset + a === head.buf.byteOffset + head.bodyStart;
}

/** A large frame whose body came as several views that nobody replaced. */
export function isUntouchedLarge(head: HeadView, protocol: FramedProtocol, sizeBytes: number): boolean {
  if (head.framing !== protocol || head.isEdited || head.authorityChanged) return false;
  return head.bodyStart === head.bodyEnd && head.bodyEnd === head.end && head.contentLength === sizeBytes;
}

export function joined(body: readonly Buffer[]): Buffer {
  return body.length === 1 ? (body[0] as Buffer) : Buffer.concat(body);
}
