import type { FuzzRandom } from './fuzz.ts';

/** What differs between the dialects, and what was sent so far in the message that is being made. */
export class HessianMaker {
  readonly #random: FuzzRandom;
  readonly #isSofa: boolean;
  readonly #fieldCounts: number[] = [];
  #types = 0;
  #references = 0;
  #budget: number;

  constructor(random: FuzzRandom, isSofa: boolean) {
    this.#random = random;
    this.#isSofa = isSofa;
    this.#budget = random.below(40);
  }

  /** A valid value; lists, maps and objects until the budget is used up. */
  value(): Buffer {
    const kinds = this.#budget-- > 0 ? 12 : 6;
    switch (this.#random.below(kinds)) {
      case 0:
        return Buffer.of(this.#random.pick([0x4e, 0x54, 0x46, 0x80 + this.#random.below(64)]));
      case 1:
        return this.#number();
      case 2:
      case 3:
        return this.string();
      case 4:
        return this.#binary();
      case 5:
        return this.#reference();
      case 6:
      case 7:
        return this.#list();
      case 8:
      case 9:
        return this.map(this.#random.below(5));
      default:
        return this.#object();
    }
  }

  /** A map of `entries` pairs of strings, now and then of other values. */
  map(entries: number): Buffer {
    this.#references++;
    const isTyped = this.#random.chance(0.3);
    const begin = this.#isSofa
      ? [Buffer.of(0x4d), isTyped ? this.#sofaType() : Buffer.alloc(0)]
      : [Buffer.of(isTyped ? 0x4d : 0x48), isTyped ? this.#type() : Buffer.alloc(0)];
    const pairs = Array.from({ length: entries }, () =>
      Buffer.concat(
        this.#random.chance(0.8) ? [this.string(), this.string()] : [this.string(), this.value()],
      ),
    );
    return Buffer.concat([...begin, ...pairs, Buffer.of(this.#isSofa ? 0x7a : 0x5a)]);
  }

  string(text = this.#text()): Buffer {
    const bytes = Buffer.from(text);
    const units = text.length;
    if (units > 8 && this.#random.chance(0.1) && bytes.length === units) {
      const chunk = Buffer.of(this.#isSofa ? 0x73 : 0x52, 0, 3);
      return Buffer.concat([chunk, bytes.subarray(0, 3), this.string(text.slice(3))]);
    }
    if (units < 32 && this.#random.chance(0.9)) return Buffer.concat([Buffer.of(units), bytes]);
    if (!this.#isSofa && units < 1024) {
      return Buffer.concat([Buffer.of(0x30 + (units >> 8), units & 255), bytes]);
    }
    return Buffer.concat([Buffer.of(0x53, units >> 8, units & 255), bytes]);
  }

  int(value: number): Buffer {
    if (value >= -16 && value < 48 && this.#random.chance(0.9)) return Buffer.of(0x90 + value);
    return Buffer.of(0x49, value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255);
  }

  #text(): string {
    const letters = ['a', 'Z', '.', '/', '\0', 'é', '世', '😀'];
    const length = this.#random.chance(0.05) ? this.#random.below(2000) : this.#random.below(12);
    let text = '';
    const isPlain = this.#random.chance(0.7);
    for (let i = 0; i < length; i++) text += isPlain ? 'x' : this.#random.pick(letters);
    return text;
  }

  #number(): Buffer {
    const own = this.#isSofa
      ? [
          [0x77, 4],
          [0x67, 0],
          [0x69, 1],
          [0x6a, 2],
          [0x6b, 4],
          [0x64, 8],
        ]
      : [
          [0x59, 4],
          [0x5b, 0],
          [0x5d, 1],
          [0x5e, 2],
          [0x5f, 4],
          [0x4a, 8],
          [0x4b, 4],
        ];
    const [tag = 0, size = 0] = this.#random.pick([
      ...own,
      [0x49, 4],
      [0x4c, 8],
      [0x44, 8],
      [0xc8, 1],
      [0xd4, 2],
      [0xe0, 0],
      [0xf8, 1],
      [0x3c, 2],
    ]);
    return Buffer.concat([Buffer.of(tag), this.#random.bytes(size)]);
  }

  #binary(): Buffer {
    const bytes = this.#random.bytes(this.#random.below(20));
    const medium = this.#isSofa ? [] : [Buffer.of(0x34, bytes.length)];
    const short = bytes.length < 16 ? [Buffer.of(0x20 + bytes.length)] : [];
    const head = this.#random.pick([Buffer.of(0x42, 0, bytes.length), ...medium, ...short]);
    const chunk = Buffer.of(this.#isSofa ? 0x62 : 0x41, 0, 1, 9);
    return Buffer.concat([this.#random.chance(0.2) ? chunk : Buffer.alloc(0), head, bytes]);
  }

  #reference(): Buffer {
    if (this.#references === 0) return Buffer.of(0x4e);
    const index = this.#random.below(this.#references);
    if (!this.#isSofa) return Buffer.concat([Buffer.of(0x51), this.int(index)]);
    return this.#random.pick([
      Buffer.of(0x4a, index),
      Buffer.of(0x4b, 0, index),
      Buffer.of(0x52, 0, 0, 0, index),
    ]);
  }

  #list(): Buffer {
    this.#references++;
    const count = this.#random.below(7);
    const kind = this.#random.below(this.#isSofa ? 4 : 6);
    const head = this.#isSofa ? this.#sofaListHead(kind, count) : this.#listHead(kind, count);
    const values = Array.from({ length: count }, () => this.value());
    const hasEnd = this.#isSofa ? head[0] === 0x56 : kind < 2;
    return Buffer.concat([head, ...values, hasEnd ? Buffer.of(this.#isSofa ? 0x7a : 0x5a) : Buffer.alloc(0)]);
  }

  #listHead(kind: number, count: number): Buffer {
    switch (kind) {
      case 0:
        return Buffer.of(0x57);
      case 1:
        return Buffer.concat([Buffer.of(0x55), this.#type()]);
      case 2:
        return Buffer.concat([Buffer.of(0x58), this.int(count)]);
      case 3:
        return Buffer.concat([Buffer.of(0x56), this.#type(), this.int(count)]);
      case 4:
        return Buffer.of(0x78 + count);
      default:
        return Buffer.concat([Buffer.of(0x70 + count), this.#type()]);
    }
  }

  #sofaListHead(kind: number, count: number): Buffer {
    if (kind === 0 && this.#types > 0) {
      return Buffer.concat([Buffer.of(0x76), this.int(this.#random.below(this.#types)), this.int(count)]);
    }
    const length = this.#random.pick([Buffer.of(0x6e, count), Buffer.of(0x6c, 0, 0, 0, count)]);
    return Buffer.concat([Buffer.of(0x56), kind === 1 ? this.#sofaType() : Buffer.alloc(0), length]);
  }

  #type(): Buffer {
    if (this.#types > 0 && this.#random.chance(0.5)) return this.int(this.#random.below(this.#types));
    this.#types++;
    return this.string('java.util.List');
  }

  #sofaType(): Buffer {
    if (this.#types > 0 && this.#random.chance(0.5)) {
      return Buffer.concat([Buffer.of(0x75), this.int(this.#random.below(this.#types))]);
    }
    this.#types++;
    return Buffer.concat([Buffer.of(0x74, 0, 4), Buffer.from('List')]);
  }

  #object(): Buffer {
    const parts: Buffer[] = [];
    if (this.#fieldCounts.length === 0 || this.#random.chance(0.4)) {
      const count = this.#random.below(4);
      const name = this.#isSofa ? [this.int(4), Buffer.from('User')] : [this.string('User')];
      const fields = Array.from({ length: count }, () => this.string('id'));
      parts.push(Buffer.of(this.#isSofa ? 0x4f : 0x43), ...name, this.int(count), ...fields);
      this.#fieldCounts.push(count);
    }
    const index = this.#random.below(this.#fieldCounts.length);
    this.#references++;
    const isShort = !this.#isSofa && index < 16 && this.#random.chance(0.7);
    parts.push(isShort ? Buffer.of(0x60 + index) : Buffer.of(this.#isSofa ? 0x6f : 0x4f));
    if (!isShort) parts.push(this.int(index));
    for (let i = 0; i < (this.#fieldCounts[index] as number); i++) parts.push(this.value());
    return Buffer.concat(parts);
  }
}
