import { HeddleError } from '../../base/errors.ts';
import type { Stream } from '../../contract/stream.ts';
import type { LineBuffer, LineForm } from './line-buffer.ts';
import { maxLineBytes } from './log-batch.ts';
import { parseFormat } from './parse-format.ts';
import type { Value } from './values.ts';

/** Room kept for a value that is a number or unset, so that a line that is cut still ends properly. */
const smallValueBytes = 24;
/** The value's own quotes are written around it, an unset one reads `null`. */
export interface Piece {
  readonly before: string;
  readonly value: Value;
  readonly isQuoted: boolean;
}

/**
 * A compiled format: `before[i]`, value i, ..., tail. Literals and writers are arrays of their own, so that the loop
 * reads nothing else.
 */
export class LineFormat {
  readonly form: LineForm;
  readonly #before: readonly Buffer[];
  readonly #writers: readonly Value['write'][];
  readonly #isQuoted: readonly boolean[];
  readonly #unset: Buffer;
  readonly #tail: Buffer;
  /** Bytes to leave free behind value i. */
  readonly #reserved: readonly number[];

  /** @throws HeddleError ERR_OPTION_INVALID when the literal text alone fills a line */
  constructor(form: LineForm, pieces: readonly Piece[], tail: string) {
    this.form = form;
    const encoding = form === 'header' ? 'latin1' : 'utf8';
    this.#before = pieces.map((piece) => Buffer.from(piece.before, encoding));
    this.#writers = pieces.map((piece) => piece.value.write);
    this.#isQuoted = pieces.map((piece) => piece.isQuoted);
    this.#unset = Buffer.from(form === 'json' ? 'null' : form === 'text' ? '-' : '');
    this.#tail = Buffer.from(tail, encoding);
    const reserved: number[] = [];
    let behind = this.#tail.length;
    for (let i = pieces.length - 1; i >= 0; i--) {
      reserved[i] = behind + 1;
      behind += smallValueBytes + (this.#before[i] as Buffer).length;
    }
    if (behind > maxLineBytes)
      throw new HeddleError('ERR_OPTION_INVALID', 'the format is too long for one line');
    this.#reserved = reserved;
  }

  /** Writes the line without its break; `out` has room for `limit` bytes. */
  write(out: LineBuffer, s: Stream, limit: number): void {
    const stop = out.at + limit;
    const before = this.#before;
    const writers = this.#writers;
    const reserved = this.#reserved;
    for (let i = 0; i < writers.length; i++) {
      out.literal(before[i] as Buffer);
      out.end = stop - (reserved[i] as number);
      const write = writers[i] as Value['write'];
      if (this.#isQuoted[i]) this.#writeQuoted(out, s, write);
      else if (!write(out, s)) out.literal(this.#unset);
    }
    out.literal(this.#tail);
  }

  #writeQuoted(out: LineBuffer, s: Stream, write: Value['write']): void {
    const start = out.at;
    out.bytes[out.at++] = 34;
    if (write(out, s)) {
      out.bytes[out.at++] = 34;
      return;
    }
    out.at = start;
    out.literal(this.#unset);
  }
}

/** @throws HeddleError ERR_CONFIG_INVALID with every problem of the format */
export function compileText(format: string, form: LineForm = 'text'): LineFormat {
  const { parts, problems } = parseFormat(format);
  if (problems.length > 0) throw new HeddleError('ERR_CONFIG_INVALID', problems.join('; '));
  const { pieces, tail } = toPieces(parts);
  return new LineFormat(form, pieces, tail);
}

function toPieces(parts: readonly (string | Value)[]): { pieces: Piece[]; tail: string } {
  const pieces: Piece[] = [];
  let before = '';
  for (const part of parts) {
    if (typeof part === 'string') before += part;
    else {
      pieces.push({ before, value: part, isQuoted: false });
      before = '';
    }
  }
  return { pieces, tail: before };
}
