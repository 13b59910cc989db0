import { HeddleError } from '../../base/errors.ts';
import type { LineBuffer } from './line-buffer.ts';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const pad = (value: number, width: number, fill = '0'): string => String(value).padStart(width, fill);
const dayOfYear = (date: Date): number =>
  Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;

/** The conversions of strftime that need no locale or zone but C and UTC. */
const conversions: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => String(date.getUTCFullYear()),
  y: (date) => pad(date.getUTCFullYear() % 100, 2),
  m: (date) => pad(date.getUTCMonth() + 1, 2),
  d: (date) => pad(date.getUTCDate(), 2),
  e: (date) => pad(date.getUTCDate(), 2, ' '),
  H: (date) => pad(date.getUTCHours(), 2),
  I: (date) => pad(date.getUTCHours() % 12 || 12, 2),
  M: (date) => pad(date.getUTCMinutes(), 2),
  S: (date) => pad(date.getUTCSeconds(), 2),
  p: (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  j: (date) => pad(dayOfYear(date), 3),
  b: (date) => months[date.getUTCMonth()] as string,
  h: (date) => months[date.getUTCMonth()] as string,
  a: (date) => days[date.getUTCDay()] as string,
  u: (date) => String(date.getUTCDay() || 7),
  w: (date) => String(date.getUTCDay()),
  s: (date) => String(Math.floor(date.getTime() / 1000)),
  F: (date) => date.toISOString().slice(0, 10),
  T: (date) => date.toISOString().slice(11, 19),
  R: (date) => date.toISOString().slice(11, 16),
  D: (date) =>
    `${pad(date.getUTCMonth() + 1, 2)}/${pad(date.getUTCDate(), 2)}/${pad(date.getUTCFullYear() % 100, 2)}`,
  z: () => '+0000',
  Z: () => 'UTC',
  n: () => ' ',
  t: () => ' ',
  '%': () => '%',
};
const conversion = /%([1-9]?)([A-Za-z%])/g;

/** Envoy's default of `%START_TIME%`. */
export const isoTime = '%Y-%m-%dT%H:%M:%S.%3fZ';

/** Says what is wrong with a time format; null when nothing is. */
export function checkTimeFormat(format: string): string | null {
  for (const [all, digits, letter] of format.matchAll(conversion)) {
    const isFraction = letter === 'f';
    if (isFraction ? true : digits === '' && conversions[letter as string] !== undefined) continue;
    return `"${all}" is no time conversion that is known`;
  }
  return null;
}

/**
 * Writes UTC times. All but the fraction of the second is made once a second (a Date costs 600 ns, the copy 20); the
 * fraction's digits are patched in. Not shared between formats.
 */
export class TimeFormat {
  readonly #parts: readonly (string | number)[];
  #second = Number.NaN;
  #ms = 0;
  #bytes: Buffer = Buffer.alloc(0);
  /** Offset in `#bytes` and digits of each fraction. */
  #fractions: [at: number, digits: number][] = [];

  /** @param format strftime with `%f` and `%1f` to `%9f` for fractions */
  constructor(format: string) {
    const problem = checkTimeFormat(format);
    if (problem !== null) throw new HeddleError('ERR_OPTION_INVALID', problem);
    this.#parts = splitFractions(format);
  }

  write(out: LineBuffer, wallMs: number): void {
    const second = Math.floor(wallMs / 1000);
    if (second !== this.#second) this.#render(second);
    const ms = Math.floor(wallMs - second * 1000);
    if (ms !== this.#ms) this.#patch(ms);
    if (out.at + this.#bytes.length <= out.end) out.literal(this.#bytes);
  }

  /** Many lines share a millisecond: the digits stay in the cached bytes. */
  #patch(ms: number): void {
    this.#ms = ms;
    for (const [at, digits] of this.#fractions) {
      for (let i = 0, unit = 100; i < digits; i++, unit = (unit / 10) | 0) {
        this.#bytes[at + i] = 48 + (unit === 0 ? 0 : ((ms / unit) | 0) % 10);
      }
    }
  }

  #render(second: number): void {
    const date = new Date(second * 1000);
    let text = '';
    this.#fractions = [];
    for (const part of this.#parts) {
      if (typeof part === 'number') {
        this.#fractions.push([Buffer.byteLength(text), part]);
        text += '0'.repeat(part);
      } else {
        text += part.replace(
          conversion,
          (_all, _digits: string, letter: string) => conversions[letter]?.(date) ?? '',
        );
      }
    }
    this.#second = second;
    this.#ms = 0;
    this.#bytes = Buffer.from(text);
  }
}

function splitFractions(format: string): (string | number)[] {
  const parts: (string | number)[] = [];
  let from = 0;
  for (const match of format.matchAll(conversion)) {
    if (match[2] !== 'f') continue;
    parts.push(format.slice(from, match.index), match[1] === '' ? 3 : Number(match[1]));
    from = match.index + match[0].length;
  }
  parts.push(format.slice(from));
  return parts;
}
