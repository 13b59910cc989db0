/** Words a slot: hash, length of the name plus one, value, the name 4 bytes a word. One cache line. */
const slotWords = 16;
const slotShift = 4;
const nameWord = 3;
const maxNameBytes = (slotWords - nameWord) * 4;
/** From here on it pays: a Map of fewer names stays in the caches and costs less. */
const minPacked = 512;
const colon = 58;
const closingBracket = 93;

/**
 * Names to numbers, looked up by bytes as they stand in a request: one cache line a look-up. A Map of 50,000 names
 * takes four to six (its buckets, its entries, the keys that it compares).
 */
export class PackedNames {
  readonly #slots: Int32Array;
  /** The same memory. */
  readonly #bytes: Uint8Array;
  readonly #mask: number;

  /** Null where there are too few to pay. @param names those that are too long, or no bytes, are left to the caller */
  static of(names: Iterable<readonly [name: string, value: number]>): PackedNames | null {
    const fitting = new Map([...names].filter(([name]) => isPackable(name)));
    return fitting.size < minPacked ? null : new PackedNames(fitting);
  }

  constructor(names: ReadonlyMap<string, number>) {
    let size = 16;
    while (size * 0.8 < names.size) size *= 2;
    this.#mask = size - 1;
    this.#slots = new Int32Array(size * slotWords);
    this.#bytes = new Uint8Array(this.#slots.buffer);
    for (const [name, value] of names) this.#add(Buffer.from(name, 'latin1'), value);
  }

  /** The value of the name `buf[start, end)`, else of the same without its port; -1 when there is none. */
  find(buf: Uint8Array, start: number, end: number): number {
    const whole = this.get(buf, start, end);
    if (whole >= 0) return whole;
    const host = portStart(buf, start, end);
    return host === end ? -1 : this.get(buf, start, host);
  }

  #add(name: Uint8Array, value: number): void {
    const hash = hashOf(name, 0, name.length);
    let slot = hash & this.#mask;
    while (this.#slots[(slot << slotShift) + 1] !== 0) slot = (slot + 1) & this.#mask;
    const word = slot << slotShift;
    this.#slots.set([hash, name.length + 1, value], word);
    this.#bytes.set(name, (word + nameWord) << 2);
  }

  /** The value of exactly the name `buf[start, end)`, or -1. */
  get(buf: Uint8Array, start: number, end: number): number {
    const hash = hashOf(buf, start, end);
    const slots = this.#slots;
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const word = slot << slotShift;
      const length = slots[word + 1] as number;
      if (length === 0) return -1;
      if (slots[word] !== hash || length !== end - start + 1) continue;
      if (this.#isAt((word + nameWord) << 2, buf, start, end)) return slots[word + 2] as number;
    }
  }

  #isAt(offset: number, buf: Uint8Array, start: number, end: number): boolean {
    const bytes = this.#bytes;
    for (let at = start; at < end; at++, offset++) {
      if (bytes[offset] !== buf[at]) return false;
    }
    return true;
  }
}

function isPackable(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: any byte may stand in a name
  return name.length <= maxNameBytes && /^[\u0000-\u00ff]*$/.test(name);
}

/** Where ":port" begins; `end` when there is none. */
function portStart(buf: Uint8Array, start: number, end: number): number {
  for (let at = end - 1; at > start; at--) {
    const byte = buf[at] as number;
    if (byte === colon) return at;
    if (byte === closingBracket) return end;
  }
  return end;
}

/** FNV-1a in two lanes that do not wait for each other, mixed at the end: the low bits choose the slot. */
function hashOf(buf: Uint8Array, start: number, end: number): number {
  let even = 0x811c9dc5;
  let odd = 0x9e3779b9;
  let at = start;
  for (const last = end - 1; at < last; at += 2) {
    even = Math.imul(even ^ (buf[at] as number), 0x01000193);
    odd = Math.imul(odd ^ (buf[at + 1] as number), 0x01000193);
  }
  if (at < end) even = Math.imul(even ^ (buf[at] as number), 0x01000193);
  const hash = Math.imul(even ^ (odd << 13) ^ (odd >>> 7), 0x2c1b3c6d);
  return hash ^ (hash >>> 15);
}
