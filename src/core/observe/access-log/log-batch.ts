import type { Clock, Timer } from '../../base/clock.ts';
import type { LogOutput } from '../../contract/log-output.ts';
import type { Metrics } from '../../contract/metrics.ts';
import { LineBuffer, type LineForm } from './line-buffer.ts';

const nothing: Buffer = Buffer.alloc(0);
const batchBytes = 64 * 1024;
/** A longer line has its values cut. */
export const maxLineBytes = 16 * 1024;
/** A batch smaller than this is copied out, so that a quiet log does not use up a buffer per line. */
const keptBytes = batchBytes / 2;
const defaultFlushMs = 50;

/**
 * Gathers lines and hands them to the output in one piece: when 64 KiB are full or `flushMs` after the first line.
 * An output that does not keep up loses whole batches, counted in `heddle_access_log_dropped_total`; no request waits.
 */
export class LogBatch {
  readonly #line: LineBuffer;
  readonly #output: LogOutput;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #written: number;
  readonly #dropped: number;
  readonly #flushMs: number;
  readonly #onTimer = (): void => this.flush();
  #timer: Timer | null = null;
  #lines = 0;

  constructor(
    form: LineForm,
    output: LogOutput,
    context: { readonly clock: Clock; readonly metrics: Metrics },
    flushMs: number = defaultFlushMs,
  ) {
    this.#line = new LineBuffer(0, form);
    this.#output = output;
    this.#clock = context.clock;
    this.#metrics = context.metrics;
    this.#flushMs = flushMs;
    this.#written = context.metrics.counter('heddle_access_log_lines_total');
    this.#dropped = context.metrics.counter('heddle_access_log_dropped_total');
  }

  /** Where the next line goes; `maxLineBytes` and the line break fit. */
  begin(): LineBuffer {
    const line = this.#line;
    if (line.at + maxLineBytes + 1 > line.bytes.length) {
      this.flush();
      if (line.bytes.length === 0) line.bytes = Buffer.allocUnsafeSlow(batchBytes);
    }
    return line;
  }

  /** Ends the line that `begin` began. */
  commit(): void {
    this.#line.bytes[this.#line.at++] = 10;
    if (this.#lines++ > 0) return;
    this.#output.gathering.add(this);
    this.#timer = this.#clock.setTimer(this.#flushMs, this.#onTimer);
  }

  flush(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#lines === 0) return;
    const line = this.#line;
    const isSmall = line.at < keptBytes;
    const bytes = isSmall ? Buffer.from(line.bytes.subarray(0, line.at)) : line.bytes.subarray(0, line.at);
    if (!isSmall) line.bytes = nothing;
    const lines = this.#lines;
    line.at = this.#lines = 0;
    this.#output.gathering.delete(this);
    const isTaken = this.#output.write(bytes, lines);
    this.#count(isTaken ? this.#written : this.#dropped, lines);
    this.#count(this.#dropped, this.#output.takeLost?.() ?? 0);
  }

  #count(slot: number, lines: number): void {
    this.#metrics.values[slot] = (this.#metrics.values[slot] as number) + lines;
  }
}
