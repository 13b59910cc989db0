import type { HeadView } from '../base/head-view.ts';
import { headerField } from '../base/header-field.ts';
import type { Random } from '../base/random.ts';

/**
 * W3C Trace Context (https://www.w3.org/TR/trace-context/), read and written as bytes:
 *
 *   traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
 *                0  3                                36               53
 */
export const traceparentLength = 55;
const traceAt = 3;
const spanAt = 36;
const flagsAt = 53;
const traceparent = headerField('traceparent', '');
const digits = Buffer.from('0123456789abcdef', 'latin1');
const dash = 45;
/** Of level 2: sampled, and "the trace id is random". Other bits are not passed on. */
const knownFlags = 3;

/** The value of a lower-case hex digit, -1 for anything else: upper case is malformed here. */
const nibbles = new Int8Array(256).fill(-1);
for (let i = 0; i < 16; i++) nibbles[digits[i] as number] = i;

/** One trace position as the bytes of its `traceparent`. Used over and over by its owner. */
export class TraceContext {
  readonly bytes: Buffer = Buffer.from(`00-${'0'.repeat(32)}-${'0'.repeat(16)}-00`, 'latin1');
  #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Takes over the value at `index` of `head`. False when it is malformed; the bytes are of no use then. */
  read(head: HeadView, index: number): boolean {
    const inWire = index < head.count;
    const fields = inWire ? head.fields : head.extraFields;
    const at = (inWire ? index : index - head.count) * 4;
    const source = inWire ? head.buf : head.extra;
    const start = fields[at + 2] as number;
    const length = (fields[at + 3] as number) - start;
    if (!isWellFormed(source, start, length)) return false;
    source.copy(this.bytes, 2, start + 2, start + traceparentLength);
    const flags = nibbles[this.bytes[flagsAt + 1] as number] as number;
    this.bytes[flagsAt] = 48;
    this.bytes[flagsAt + 1] = digits[flags & knownFlags] as number;
    return true;
  }

  /** Begins a trace. */
  begin(isSampled: boolean): void {
    this.#draw(traceAt, 4);
    this.bytes[flagsAt] = 48;
    this.bytes[flagsAt + 1] = isSampled ? 49 : 48;
  }

  /** A new position in the same trace. */
  nextSpan(): void {
    this.#draw(spanAt, 2);
  }

  /** Adds the header `traceparent`. */
  write(head: HeadView): void {
    const at = head.addRaw(traceparent, traceparentLength);
    const { bytes } = this;
    const target = head.extra;
    for (let i = 0; i < traceparentLength; i++) target[at + i] = bytes[i] as number;
  }

  /** Random hex digits, eight a word; all zero would be invalid. */
  #draw(at: number, words: number): void {
    let any = 0;
    for (let word = 0; word < words; word++) {
      let bits = this.#random.uint32();
      if (word === words - 1 && (any | bits) === 0) bits = 1;
      any |= bits;
      for (let i = 0; i < 8; i++, bits >>>= 4) this.bytes[at + word * 8 + i] = digits[bits & 15] as number;
    }
  }
}

function isWellFormed(source: Buffer, start: number, length: number): boolean {
  if (length < traceparentLength) return false;
  const version = hexAt(source, start) * 16 + hexAt(source, start + 1);
  if (version < 0 || version === 255) return false;
  if (length > traceparentLength && (version === 0 || source[start + traceparentLength] !== dash))
    return false;
  if (source[start + 2] !== dash || source[start + 35] !== dash || source[start + 52] !== dash) return false;
  return (
    isId(source, start + traceAt, 32) &&
    isId(source, start + spanAt, 16) &&
    hexAt(source, start + flagsAt) >= 0 &&
    hexAt(source, start + flagsAt + 1) >= 0
  );
}

/** Negative enough that two digits, one of them wrong, stay negative. */
function hexAt(source: Buffer, at: number): number {
  const value = nibbles[source[at] as number] as number;
  return value < 0 ? -1000 : value;
}

/** Hex digits, not all zero. */
function isId(source: Buffer, start: number, length: number): boolean {
  let any = 0;
  for (let i = start; i < start + length; i++) {
    const value = nibbles[source[i] as number] as number;
    if (value < 0) return false;
    any |= value;
  }
  return any !== 0;
}

const maxMembers = 32;
const maxStateLength = 8192;
const simpleKey = /^[a-z][a-z0-9_\-*/]{0,255}$/;
const tenantKey = /^[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}$/;
const stateValue = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** Whether a `tracestate` (all its fields joined by commas) may be passed on. */
export function isTraceState(text: string): boolean {
  if (text.length > maxStateLength) return false;
  const keys = new Set<string>();
  for (const member of text.split(',')) {
    const trimmed = member.replace(/^[ \t]+|[ \t]+$/g, '');
    if (trimmed === '') continue;
    const cut = trimmed.indexOf('=');
    const key = trimmed.slice(0, Math.max(cut, 0));
    if (!(simpleKey.test(key) || tenantKey.test(key)) || !stateValue.test(trimmed.slice(cut + 1)))
      return false;
    if (keys.has(key)) return false;
    keys.add(key);
  }
  return keys.size > 0 && keys.size <= maxMembers;
}
