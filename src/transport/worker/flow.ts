import type { Stream } from '../../core/contract/stream.ts';
import type { BatchWriter } from './batch-writer.ts';
import { FrameType, grantBytes, windowBytes } from './frame.ts';
import { writeNumber } from './frame-writer.ts';

/** One stream at one end of a link: who it is, and how many body bytes may cross in either direction. */
export class LinkStream {
  readonly s: Stream;
  readonly id: number;
  /** What the other side may still be sent. */
  window: number = windowBytes;
  /** Consumed here and not granted again. */
  owed = 0;
  /** The consumer here is full: what arrives is not granted until it has room. */
  isPaused = false;
  /** The window is used up and the producer here was told. */
  isFull = false;

  constructor(s: Stream, id: number) {
    this.s = s;
    this.id = id;
  }

  /** Body bytes leave. Returns whether there is room for more. */
  sent(bytes: number): boolean {
    this.window -= bytes;
    if (this.window > 0) return true;
    this.isFull = true;
    return false;
  }

  /** Room was granted. Returns whether a producer that was full may go on. */
  granted(bytes: number): boolean {
    this.window += bytes;
    if (!this.isFull || this.window <= 0) return false;
    this.isFull = false;
    return true;
  }

  /** Body bytes arrived; they are granted again in portions, at once or when the consumer has room. */
  consumed(writer: BatchWriter, bytes: number): void {
    this.owed += bytes;
    if (!this.isPaused) this.grant(writer);
  }

  resumed(writer: BatchWriter): void {
    this.isPaused = false;
    this.grant(writer);
  }

  grant(writer: BatchWriter): void {
    if (this.owed < grantBytes) return;
    writeNumber(writer, FrameType.credit, this.id, this.owed);
    this.owed = 0;
  }
}
