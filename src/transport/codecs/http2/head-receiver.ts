import { HeadView } from '../../../core/base/head-view.ts';
import type { CodecContext } from '../../../core/contract/codec.ts';
import type { Wire } from '../../../core/contract/wire.ts';
import { BlockCache } from './block-cache.ts';
import { BodyReceiver } from './body-receiver.ts';
import type { Http2Config } from './config.ts';
import { Flag, H2Error, maxWindowBytes } from './constants.ts';
import { HeadAssembly } from './head-assembly.ts';
import { HpackDecoder } from './hpack/decoder.ts';

/** Beside the flags of HEADERS: its stream depends on itself (RFC 9113 §5.3.1). */
export const selfDependent = 256;

/** Header block of a HEADERS frame that CONTINUATION frames go on with. */
interface OpenBlock {
  readonly id: number;
  readonly flags: number;
  readonly parts: Buffer[];
  sizeBytes: number;
}

/** Receives header blocks: HEADERS and CONTINUATION frames, and decodes them. */
export abstract class HeadReceiver extends BodyReceiver {
  protected readonly decoder: HpackDecoder;
  protected readonly assembly: HeadAssembly = new HeadAssembly();
  protected readonly blocks: BlockCache = new BlockCache();
  #block: OpenBlock | null = null;

  constructor(wire: Wire, context: CodecContext, config: Http2Config) {
    super(wire, context, config);
    this.decoder = new HpackDecoder(config.headerTableBytes);
  }

  /** A complete header block; `flags` are those of its HEADERS frame. */
  protected abstract headers(id: number, flags: number, buf: Buffer, start: number, end: number): void;
  protected abstract maxHeaderBlockBytes(): number;

  protected headersFrame(flags: number, id: number, buf: Buffer, start: number, end: number): void {
    if (id === 0) {
      this.fail(H2Error.protocol, 'HEADERS without a stream');
      return;
    }
    let padding = 0;
    if ((flags & Flag.padded) !== 0 && start < end) padding = buf[start++] as number;
    let dependsOn = -1;
    if ((flags & Flag.priority) !== 0 && end - start >= 5) {
      dependsOn = buf.readUInt32BE(start) & maxWindowBytes;
      start += 5;
    } else if ((flags & Flag.priority) !== 0) padding = end;
    if (start + padding > end) {
      this.fail(H2Error.protocol, 'HEADERS is all padding');
      return;
    }
    // Not a verdict on the block: the table needs it whatever becomes of the stream.
    const isSelfDependent = dependsOn === id ? selfDependent : 0;
    if ((flags & Flag.endHeaders) !== 0) {
      this.headers(id, flags | isSelfDependent, buf, start, end - padding);
      return;
    }
    const part = Buffer.from(buf.subarray(start, end - padding));
    this.#block = { id, flags: flags | isSelfDependent, parts: [part], sizeBytes: part.length };
  }

  /** Idle connections hold no blocks. */
  protected dropCaches(): void {
    this.blocks.clear();
    this.encoder.known.clear();
  }

  protected get isInBlock(): boolean {
    return this.#block !== null;
  }

  protected override dropBlock(): void {
    this.#block = null;
  }

  /** Between the frames of a header block none of another kind or stream may stand (RFC 9113 §6.10). */
  protected interruptsBlock(isContinuation: boolean, id: number): boolean {
    return this.#block !== null && (!isContinuation || id !== this.#block.id);
  }

  protected continuation(flags: number, id: number, buf: Buffer, start: number, end: number): void {
    const block = this.#block;
    if (block === null) {
      this.fail(H2Error.protocol, 'CONTINUATION without HEADERS');
      return;
    }
    block.parts.push(Buffer.from(buf.subarray(start, end)));
    block.sizeBytes += end - start;
    const isTooLong =
      block.sizeBytes > this.maxHeaderBlockBytes() || block.parts.length > this.config.maxContinuations + 1;
    if (isTooLong || (start === end && this.guard.emptyFrame())) {
      this.calm('CONTINUATION frames');
      return;
    }
    if ((flags & Flag.endHeaders) === 0) return;
    this.#block = null;
    const whole = Buffer.concat(block.parts);
    this.headers(id, block.flags, whole, 0, whole.length);
  }

  /**
   * Decodes a block into `head`, which borrows `assembly.buf` until `releaseHead`.
   * @returns false when the connection is over
   */
  protected decodeHead(head: HeadView, buf: Buffer, start: number, end: number, drops: boolean): boolean {
    const limits = this.headLimits();
    this.assembly.begin(head, this.context.slab.blocks.take(), limits, drops);
    if (!this.decoder.decode(buf, start, end, this.assembly)) {
      this.releaseHead();
      this.fail(H2Error.compression, 'a header block is not HPACK');
      return false;
    }
    this.assembly.finish();
    head.borrowed = true;
    return true;
  }

  /** The bytes of the head that was decoded last are not needed any more. */
  protected releaseHead(block: Buffer = this.assembly.buf): void {
    this.context.slab.blocks.give(block);
  }

  /** Only for the table's sake. */
  protected decodeUnheard(buf: Buffer, start: number, end: number): void {
    if (this.decodeHead(new HeadView(), buf, start, end, false)) this.releaseHead();
  }
}
