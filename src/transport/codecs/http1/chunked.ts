import { HeadView } from '../../../core/base/head-view.ts';
import { lowerByte } from '../../../core/base/header-field.ts';
import { ByteHold } from './hold.ts';
import type { HeadLimits } from './limits.ts';
import { Refusal } from './refusals.ts';
import { scanTrailers } from './trailers.ts';

const nothing: Buffer = Buffer.alloc(0);
/** 2^48 bytes are more than any body; llhttp lets 2^64 - 1 pass. */
const maxSizeDigits = 12;
/** Of one message together: extensions are dropped, and a sender of many is an attack (CVE-2023-39326). */
const maxExtensionBytes = 16_384;

const State = {
  size: 0,
  extension: 1,
  sizeLf: 2,
  data: 3,
  dataCr: 4,
  dataLf: 5,
  trailers: 6,
  done: 7,
} as const;

/** What `feed` ends with, besides a Refusal. */
export const Chunked = { more: 0, end: 1, endWithTrailers: 2 } as const;

/**
 * Reads one chunked body (RFC 9112 §7.1), strictly: sizes are bare hexadecimal digits, every line ends in CR LF,
 * extensions are dropped. The data of all chunks in one read come out as one range, so that they leave in one write.
 */
export class ChunkReader {
  /** Offset behind what the last `feed` took; less than its `end` only when the body ended. */
  at = 0;
  /** Body bytes of the last `feed`; `isOwned` when they were gathered into a buffer of their own. */
  buf: Buffer = nothing;
  start = 0;
  end = 0;
  isGathered = false;
  trailers: HeadView | null = null;
  #state: number = State.size;
  #left = 0;
  #digits = 0;
  #extensionBytes = 0;
  #ranges: number[] = [];
  #hold: ByteHold | null = null;

  /** Makes it ready for another body. */
  reset(): void {
    this.#state = State.size;
    this.#left = this.#digits = this.#extensionBytes = 0;
    this.buf = nothing;
    this.trailers = null;
    this.#hold = null;
  }

  /** Takes `buf[start, end)` up to the end of the body. @returns Chunked or a Refusal */
  feed(buf: Buffer, start: number, end: number, limits: HeadLimits): number {
    this.#ranges.length = 0;
    this.at = start;
    let result: number = Chunked.more;
    while (this.at < end && result === Chunked.more) {
      if (this.#state === State.data) this.#takeData(end);
      else if (this.#state === State.trailers) result = this.#takeTrailers(buf, end, limits);
      else result = this.#takeByte(buf[this.at++] as number);
    }
    this.#gather(buf);
    return result;
  }

  #takeData(end: number): void {
    const size = Math.min(end - this.at, this.#left);
    this.#ranges.push(this.at, this.at + size);
    this.at += size;
    this.#left -= size;
    if (this.#left === 0) this.#state = State.dataCr;
  }

  #takeByte(byte: number): number {
    switch (this.#state) {
      case State.size:
        return this.#takeSize(byte);
      case State.extension:
        if (byte === 13) this.#state = State.sizeLf;
        else if ((byte < 32 && byte !== 9) || byte === 127 || ++this.#extensionBytes > maxExtensionBytes) {
          return Refusal.chunkExtension;
        }
        return Chunked.more;
      case State.sizeLf:
        if (byte !== 10) return Refusal.chunkSize;
        this.#digits = 0;
        this.#state = this.#left === 0 ? State.trailers : State.data;
        return Chunked.more;
      case State.dataCr:
        this.#state = State.dataLf;
        return byte === 13 ? Chunked.more : Refusal.chunkEnd;
      default:
        this.#state = State.size;
        return byte === 10 ? Chunked.more : Refusal.chunkEnd;
    }
  }

  #takeSize(byte: number): number {
    const digit = hexValue(byte);
    if (digit >= 0) {
      if (++this.#digits > maxSizeDigits) return Refusal.chunkSize;
      this.#left = this.#left * 16 + digit;
      return Chunked.more;
    }
    if (this.#digits === 0) return Refusal.chunkSize;
    if (byte === 13) this.#state = State.sizeLf;
    else if (byte === 59) this.#state = State.extension;
    else return Refusal.chunkSize;
    return Chunked.more;
  }

  /** The usual empty section costs no copy; a longer one is held until its empty line has come. */
  #takeTrailers(buf: Buffer, end: number, limits: HeadLimits): number {
    const from = this.at;
    this.at = end;
    if (this.#hold === null && end - from >= 2 && buf[from] === 13 && buf[from + 1] === 10) {
      this.at = from + 2;
      return this.#ended(null);
    }
    this.#hold ??= new ByteHold();
    const hold = this.#hold;
    const heldBytes = hold.sizeBytes;
    hold.append(buf, from, Math.min(end, from + limits.maxHeaderBytes + 1));
    const newLine = hold.buf.subarray(heldBytes, hold.end).indexOf(10);
    if (newLine >= 0) {
      const trailers = new HeadView();
      const result = scanTrailers(trailers, hold.buf, hold.start, hold.end, limits);
      if (result >= 0) {
        this.at = from + result - heldBytes;
        return this.#ended(trailers);
      }
      if (result !== Refusal.incomplete) return result;
    }
    return hold.sizeBytes > limits.maxHeaderBytes ? Refusal.headersTooLarge : Chunked.more;
  }

  #ended(trailers: HeadView | null): number {
    this.#state = State.done;
    this.#hold = null;
    this.trailers = trailers;
    return trailers === null || trailers.count === 0 ? Chunked.end : Chunked.endWithTrailers;
  }

  #gather(buf: Buffer): void {
    const ranges = this.#ranges;
    this.isGathered = ranges.length > 2;
    this.buf = buf;
    this.start = ranges.length === 0 ? 0 : (ranges[0] as number);
    this.end = ranges.length === 0 ? 0 : (ranges[1] as number);
    if (!this.isGathered) return;
    let size = 0;
    for (let i = 0; i < ranges.length; i += 2) size += (ranges[i + 1] as number) - (ranges[i] as number);
    this.buf = Buffer.allocUnsafe(size);
    this.start = 0;
    this.end = 0;
    for (let i = 0; i < ranges.length; i += 2) {
      this.end += buf.copy(this.buf, this.end, ranges[i] as number, ranges[i + 1] as number);
    }
  }
}

function hexValue(byte: number): number {
  const digit = byte - 48;
  if (digit >>> 0 <= 9) return digit;
  const letter = (lowerByte[byte] as number) - 97;
  return letter >>> 0 <= 5 ? letter + 10 : -1;
}
