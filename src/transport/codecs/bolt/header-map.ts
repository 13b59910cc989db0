import { copyBytes } from '../../../core/base/bytes.ts';
import type { FieldSource, HeadView } from '../../../core/base/head-view.ts';
import { latin1 } from '../../../core/base/latin1.ts';
import { readInt32, writeUint32 } from './layout.ts';

/**
 * Bolt's header map: length and bytes of key and value in turn, lengths as signed 32-bit integers, -1 for null.
 * A pair with a null side is passed over, as the Java decoder does. Source: sofa-rpc SimpleMapSerializer.
 * @returns how many pairs there are, -1 when the lengths do not add up
 */
export function readHeaderMap(head: HeadView, buf: Buffer, start: number, end: number): number {
  const fields = head.fields;
  let at = start;
  let count = 0;
  let pairs = 0;
  while (at < end) {
    if (end - at < 4) return -1;
    const keyBytes = readInt32(buf, at);
    const key = at + 4;
    const keyEnd = keyBytes < 0 ? key : key + keyBytes;
    if (keyBytes < -1 || keyEnd > end - 4) return -1;
    const valueBytes = readInt32(buf, keyEnd);
    const value = keyEnd + 4;
    at = valueBytes < 0 ? value : value + valueBytes;
    if (valueBytes < -1 || at > end) return -1;
    pairs++;
    if (keyBytes < 0 || valueBytes < 0) continue;
    const place = count++ * 4;
    fields[place] = key;
    fields[place + 1] = keyEnd;
    fields[place + 2] = value;
    fields[place + 3] = at;
  }
  head.count = count;
  return pairs;
}

/** Reads the header map of a response when somebody asks for it: from `firstEnd` to `bodyStart`. */
export const laterFields: FieldSource = {
  readFields(head: HeadView): void {
    if (readHeaderMap(head, head.buf, head.firstEnd, head.bodyStart) < 0) head.count = 0;
  },
};

/** Fields that only mean something between two HTTP hops, or that the frame says itself. */
const notCarried: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** The core states it where a filter replaced the body; the frame has a length of its own. */
const contentLength = 'content-length';

/** Writes the live fields of a head as a header map. `known` come first and replace fields of their names. */
export class HeaderMapWriter {
  readonly #head: HeadView;
  readonly #known: readonly (readonly [name: string, value: string])[];
  readonly #asksAll: boolean;
  readonly #live: number[] = [];
  readonly #extraLive: number[] = [];
  readonly sizeBytes: number;

  constructor(head: HeadView, known: readonly (readonly [name: string, value: string])[]) {
    head.index();
    this.#head = head;
    this.#known = known;
    this.#asksAll = head.framing === null || known.length > 0;
    let size = 0;
    for (const [name, value] of known) size += 8 + name.length + Buffer.byteLength(value, encodingOf(value));
    size += this.#choose(head.count, head.fields, head.buf, this.#live);
    size += this.#choose(head.extraCount, head.extraFields, head.extra, this.#extraLive);
    this.sizeBytes = size;
  }

  /** @returns the offset behind the map */
  write(target: Buffer, at: number): number {
    for (const [name, value] of this.#known) {
      at = writeString(target, writeString(target, at, name), value);
    }
    const head = this.#head;
    for (const place of this.#live) at = writePair(target, at, head.buf, head.fields, place);
    for (const place of this.#extraLive) at = writePair(target, at, head.extra, head.extraFields, place);
    return at;
  }

  #choose(count: number, fields: readonly number[], buf: Buffer, chosen: number[]): number {
    let size = 0;
    for (let place = 0; place < count * 4; place += 4) {
      const start = fields[place] as number;
      if (start < 0) continue;
      const nameBytes = (fields[place + 1] as number) - start;
      // Fields of our own protocol are looked at by name only where one may have to go.
      const isAsked = this.#asksAll || nameBytes === contentLength.length;
      if (isAsked && this.#isLeftOut(latin1(buf, start, start + nameBytes))) continue;
      chosen.push(place);
      size += 8 + nameBytes + (fields[place + 3] as number) - (fields[place + 2] as number);
    }
    return size;
  }

  #isLeftOut(name: string): boolean {
    if (this.#head.framing === null && notCarried.has(name.toLowerCase())) return true;
    if (name === contentLength) return true;
    return this.#known.some(([known]) => known === name);
  }
}

function writePair(
  target: Buffer,
  at: number,
  buf: Buffer,
  fields: readonly number[],
  place: number,
): number {
  for (let side = 0; side < 4; side += 2) {
    const start = fields[place + side] as number;
    const end = fields[place + side + 1] as number;
    writeUint32(target, at, end - start);
    at = copyBytes(buf, start, end, target, at + 4);
  }
  return at;
}

function writeString(target: Buffer, at: number, text: string): number {
  const size = target.write(text, at + 4, encodingOf(text));
  writeUint32(target, at, size);
  return at + 4 + size;
}

/** Texts of heads hold one byte a character, whatever they mean; one from a caller may hold more. */
function encodingOf(text: string): 'latin1' | 'utf8' {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 255) return 'utf8';
  return 'latin1';
}
