import type { Stream } from '../../contract/stream.ts';
import type { LineBuffer } from './line-buffer.ts';

/** Writes one value of a stream; false when the stream has none (nothing was written then). */
export type ValueWriter = (out: LineBuffer, s: Stream) => boolean;

/** A value that a format may name. Numbers stay numbers in JSON. */
export interface Value {
  readonly kind: 'text' | 'number';
  readonly write: ValueWriter;
}

/** Bytes of one value that are shown at most, unless `:N` asks for fewer. */
export const maxValueBytes = 2048;

export function textValue(read: (s: Stream) => string | null | undefined): Value {
  return {
    kind: 'text',
    write(out, s) {
      const text = read(s);
      if (text === null || text === undefined || text === '') return false;
      out.text(text.length > maxValueBytes ? text.slice(0, maxValueBytes) : text);
      return true;
    },
  };
}

/** A count or a number of milliseconds; negative means "not known". */
export function numberValue(read: (s: Stream) => number): Value {
  return {
    kind: 'number',
    write(out, s) {
      const value = read(s);
      if (!(value >= 0)) return false;
      out.integer(value);
      return true;
    },
  };
}

/** What the formats of others know and this mesh does not keep: always unset. */
export const unsetValue: Value = { kind: 'text', write: () => false };

/** Milliseconds between two stamps of a stream, -1 when one was not reached. */
export function elapsed(from: number, to: number): number {
  return from > 0 && to > 0 ? Math.max(0, to - from) : -1;
}
