import type { HeadView } from '../../../core/base/head-view.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { FramedProtocol } from './protocol.ts';

/** A message that did not come in one call: it is sent when it is complete, so that frames never mix. */
interface GrowingMessage {
  readonly head: HeadView;
  readonly body: Buffer[];
  sizeBytes: number;
}

/** The unfinished messages of one connection; holds nothing while there are none. */
export class GrowingMessages {
  #messages: Map<Stream, GrowingMessage> | null = null;

  begin(s: Stream, head: HeadView): void {
    this.#messages ??= new Map();
    this.#messages.set(s, { head, body: [], sizeBytes: 0 });
  }

  /** How many bytes it has now; -1: `s` has none. @param view stays valid */
  add(s: Stream, view: Buffer): number {
    const message = this.#messages?.get(s);
    if (message === undefined) return -1;
    if (view.length > 0) message.body.push(view);
    message.sizeBytes += view.length;
    return message.sizeBytes;
  }

  /** Gives the message away. */
  take(s: Stream): GrowingMessage | undefined {
    const message = this.#messages?.get(s);
    this.forget(s);
    return message;
  }

  forget(s: Stream): void {
    if (this.#messages === null) return;
    this.#messages.delete(s);
    if (this.#messages.size === 0) this.#messages = null;
  }

  clear(): void {
    this.#messages = null;
  }
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
