import { valueByte } from '../../base/header-field.ts';

/** 1 where a byte is itself in every form: printable ASCII but the quote and the backslash. */
const plain = new Uint8Array(256).fill(1, 32, 127);
plain[34] = plain[92] = 0;
const upperHex = Buffer.from('0123456789ABCDEF', 'latin1');
const backslash = 92;

/**
 * How values are written. Values come from strangers, so a log line cannot be forged by them:
 * `text` and `json` escape quotes, backslashes, control characters and everything above ASCII (`\x22`, `\u0022`);
 * `header` keeps what may stand in a header value and replaces the rest by `?`.
 */
export type LineForm = 'text' | 'json' | 'header';

/**
 * Bytes of log lines in the making. Literals and numbers are written unchecked: the format reserves room for them
 * (`end` is set before each value). Values are cut at `end`, never in the middle of an escape.
 */
export class LineBuffer {
  bytes: Buffer;
  at = 0;
  /** Where the value being written must stop. */
  end: number;
  readonly form: LineForm;

  constructor(sizeBytes: number, form: LineForm) {
    this.bytes = Buffer.allocUnsafeSlow(sizeBytes);
    this.end = sizeBytes;
    this.form = form;
  }

  /** Bytes that were made and checked when the format was compiled. A loop beats `copy` below about 50 bytes. */
  literal(source: Uint8Array): void {
    const bytes = this.bytes;
    const length = source.length;
    let at = this.at;
    if (length === 1) {
      bytes[at++] = source[0] as number;
    } else {
      for (let i = 0; i < length; i++) bytes[at++] = source[i] as number;
    }
    this.at = at;
  }

  /** A value as bytes, escaped. */
  value(source: Uint8Array, start: number, end: number): void {
    const bytes = this.bytes;
    let at = this.at;
    const stop = end - start > this.end - at ? start + this.end - at : end;
    let i = start;
    // Four bytes a turn: the path is the longest value of a line.
    for (; i + 3 < stop; i += 4) {
      const a = source[i] as number;
      const b = source[i + 1] as number;
      const c = source[i + 2] as number;
      const d = source[i + 3] as number;
      if (((plain[a] as number) & (plain[b] as number) & (plain[c] as number) & (plain[d] as number)) === 0)
        break;
      bytes[at] = a;
      bytes[at + 1] = b;
      bytes[at + 2] = c;
      bytes[at + 3] = d;
      at += 4;
    }
    for (; i < stop; i++) {
      const byte = source[i] as number;
      if (plain[byte] === 0) {
        this.at = at;
        this.#escapeBytes(source, i, end);
        return;
      }
      bytes[at++] = byte;
    }
    this.at = at;
  }

  /** A value as a string, escaped. */
  text(value: string): void {
    const bytes = this.bytes;
    let at = this.at;
    const stop = Math.min(value.length, this.end - at);
    for (let i = 0; i < stop; i++) {
      const unit = value.charCodeAt(i);
      if (unit > 126 || plain[unit] === 0) {
        this.at = at;
        this.#escapeText(value, i);
        return;
      }
      bytes[at++] = unit;
    }
    this.at = at;
  }

  /** A count: rounded down, at least 0. */
  integer(value: number): void {
    if (!(value >= 1)) {
      this.bytes[this.at++] = 48;
      return;
    }
    if (value > 0x7fffffff) {
      this.text(String(Math.floor(value)));
      return;
    }
    const whole = value | 0;
    if (whole < 1000) this.#small(whole);
    else this.#digits(whole);
  }

  /** Up to three digits without a loop: statuses and most durations. A loop's end is a mispredicted branch. */
  #small(value: number): void {
    const bytes = this.bytes;
    if (value >= 100) bytes[this.at++] = 48 + ((value / 100) | 0);
    if (value >= 10) bytes[this.at++] = 48 + (((value / 10) | 0) % 10);
    bytes[this.at++] = 48 + (value % 10);
  }

  #digits(value: number): void {
    let rest = value;
    let digits = 4;
    for (let limit = 10_000; limit <= rest; limit *= 10) digits++;
    const bytes = this.bytes;
    for (let at = this.at + digits - 1; at >= this.at; at--) {
      const tenth = (rest / 10) | 0;
      bytes[at] = 48 + rest - tenth * 10;
      rest = tenth;
    }
    this.at += digits;
  }

  #escapeBytes(source: Uint8Array, start: number, end: number): void {
    for (let i = start; i < end; i++) if (!this.#unit(source[i] as number)) return;
  }

  #escapeText(value: string, start: number): void {
    for (let i = start; i < value.length; i++) if (!this.#unit(value.charCodeAt(i))) return;
  }

  /** One byte or UTF-16 unit in whatever form; false when it does not fit any more. */
  #unit(unit: number): boolean {
    const isPlain = unit < 127 && plain[unit] === 1;
    const isKept = isPlain || this.form === 'header';
    if (this.at + (isKept ? 1 : 6) > this.end) return false;
    if (isPlain) this.bytes[this.at++] = unit;
    else if (this.form === 'header') this.bytes[this.at++] = valueByte[unit] === 1 ? unit : 63;
    else if (this.form === 'json' || unit > 255) this.#hex(117, unit, 4);
    else this.#hex(120, unit, 2);
    return true;
  }

  /** `\u0022` or `\x22`. */
  #hex(letter: number, unit: number, digits: number): void {
    this.bytes[this.at++] = backslash;
    this.bytes[this.at++] = letter;
    for (let shift = (digits - 1) * 4; shift >= 0; shift -= 4) {
      this.bytes[this.at++] = upperHex[(unit >> shift) & 15] as number;
    }
  }
}
