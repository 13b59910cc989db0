import { FrameFlag, frameHeadBytes } from './frame.ts';

const nothing: Buffer = Buffer.alloc(0);

/** The frame that is being delivered; one object a link, valid until the method returns. Its bytes stay valid. */
export class FrameView {
  id = 0;
  flags = 0;
  /** Of the handler that a request is for. */
  key = 0;
  buf: Buffer = nothing;
  words: Int32Array = new Int32Array(0);
  /** Where the frame begins in `buf`. */
  at = 0;
  body: Buffer = nothing;
  bodyStart = 0;
  bodyEnd = 0;

  get isEnd(): boolean {
    return (this.flags & FrameFlag.end) !== 0;
  }

  /** The word of that number behind the frame's own head. */
  word(index: number): number {
    return this.words[((this.at + frameHeadBytes) >> 2) + index] as number;
  }

  /** @param offset in bytes behind the frame's own head */
  text(offset: number, length: number): string {
    const from = this.at + frameHeadBytes + offset;
    return this.buf.toString('utf8', from, from + length);
  }
}
