/**
 * XXH64 (Collet; xxHash specification 0.1.1) without BigInt: 64-bit numbers are two 32-bit halves. For what must agree
 * with Envoy and gRPC, whose rings and maglev tables are built on it; `hashText` is ten times as fast.
 */
export class Xxh64 {
  /** The result's upper and lower 32 bits, unsigned, until the next `hash`. */
  high = 0;
  low = 0;
  readonly #lanes = new Int32Array(8);

  /** @param seed 32 bits */
  hashText(text: string, seed = 0): this {
    return this.hash(Buffer.from(text), seed);
  }

  hash(bytes: Buffer, seed = 0): this {
    const length = bytes.length;
    let at = 0;
    if (length >= 32) at = this.#stripes(bytes, seed);
    else this.#set(0x27d4eb2f, 0x165667c5, 0, seed);
    this.#add(0, length);
    for (; at + 8 <= length; at += 8) {
      const high = bytes.readInt32LE(at + 4);
      const low = bytes.readInt32LE(at);
      this.#word(high, low);
    }
    if (at + 4 <= length) {
      this.#fourBytes(bytes.readInt32LE(at));
      at += 4;
    }
    for (; at < length; at++) this.#oneByte(bytes[at] as number);
    return this.#avalanche();
  }

  /** The hash modulo `divisor` (at most 2^21). */
  modulo(divisor: number): number {
    return ((((this.high % divisor) * (4294967296 % divisor)) % divisor) + (this.low % divisor)) % divisor;
  }

  /** The upper 53 bits: keeps the order of hashes in a double. */
  get order(): number {
    return this.high * 2097152 + (this.low >>> 11);
  }

  #stripes(bytes: Buffer, seed: number): number {
    const lanes = this.#lanes;
    // seed + p1 + p2, seed + p2, seed, seed - p1
    this.#set(0x60ea27ee, 0xadc0b5d6, 0, seed);
    lanes[0] = this.high;
    lanes[1] = this.low;
    this.#set(0xc2b2ae3d, 0x27d4eb4f, 0, seed);
    lanes[2] = this.high;
    lanes[3] = this.low;
    lanes[4] = 0;
    lanes[5] = seed;
    this.#set(0x61c8864e, 0x7a143579, 0, seed);
    lanes[6] = this.high;
    lanes[7] = this.low;
    let at = 0;
    for (; at + 32 <= bytes.length; at += 32) {
      for (let lane = 0; lane < 4; lane++) this.#round(lane, bytes, at + lane * 8);
    }
    this.#mergeLanes();
    return at;
  }

  #round(lane: number, bytes: Buffer, at: number): void {
    const lanes = this.#lanes;
    this.#set(bytes.readInt32LE(at + 4), bytes.readInt32LE(at), 0, 0);
    this.#multiply(0xc2b2ae3d, 0x27d4eb4f);
    this.#add(lanes[lane * 2] as number, lanes[lane * 2 + 1] as number);
    this.#rotate(31);
    this.#multiply(0x9e3779b1, 0x85ebca87);
    lanes[lane * 2] = this.high;
    lanes[lane * 2 + 1] = this.low;
  }

  #mergeLanes(): void {
    const lanes = this.#lanes;
    let high = 0;
    let low = 0;
    for (const [lane, bits] of [1, 7, 12, 18].entries()) {
      this.#set(lanes[lane * 2] as number, lanes[lane * 2 + 1] as number, 0, 0);
      this.#rotate(bits);
      this.#add(high, low);
      high = this.high;
      low = this.low;
    }
    for (let lane = 0; lane < 4; lane++) {
      this.#set(lanes[lane * 2] as number, lanes[lane * 2 + 1] as number, 0, 0);
      this.#multiply(0xc2b2ae3d, 0x27d4eb4f);
      this.#rotate(31);
      this.#multiply(0x9e3779b1, 0x85ebca87);
      this.#set(this.high ^ high, this.low ^ low, 0, 0);
      this.#multiply(0x9e3779b1, 0x85ebca87);
      this.#add(0x85ebca77, 0xc2b2ae63);
      high = this.high;
      low = this.low;
    }
  }

  #word(wordHigh: number, wordLow: number): void {
    const high = this.high;
    const low = this.low;
    this.#set(wordHigh, wordLow, 0, 0);
    this.#multiply(0xc2b2ae3d, 0x27d4eb4f);
    this.#rotate(31);
    this.#multiply(0x9e3779b1, 0x85ebca87);
    this.#set(this.high ^ high, this.low ^ low, 0, 0);
    this.#rotate(27);
    this.#multiply(0x9e3779b1, 0x85ebca87);
    this.#add(0x85ebca77, 0xc2b2ae63);
  }

  #fourBytes(word: number): void {
    const high = this.high;
    const low = this.low;
    this.#set(0, word, 0, 0);
    this.#multiply(0x9e3779b1, 0x85ebca87);
    this.#set(this.high ^ high, this.low ^ low, 0, 0);
    this.#rotate(23);
    this.#multiply(0xc2b2ae3d, 0x27d4eb4f);
    this.#add(0x165667b1, 0x9e3779f9);
  }

  #oneByte(byte: number): void {
    const high = this.high;
    const low = this.low;
    this.#set(0, byte, 0, 0);
    this.#multiply(0x27d4eb2f, 0x165667c5);
    this.#set(this.high ^ high, this.low ^ low, 0, 0);
    this.#rotate(11);
    this.#multiply(0x9e3779b1, 0x85ebca87);
  }

  #avalanche(): this {
    this.#shiftXor(33);
    this.#multiply(0xc2b2ae3d, 0x27d4eb4f);
    this.#shiftXor(29);
    this.#multiply(0x165667b1, 0x9e3779f9);
    this.#shiftXor(32);
    return this;
  }

  /** this = a + b */
  #set(aHigh: number, aLow: number, bHigh: number, bLow: number): void {
    const low = (aLow >>> 0) + (bLow >>> 0);
    this.low = low >>> 0;
    this.high = (aHigh + bHigh + (low > 4294967295 ? 1 : 0)) >>> 0;
  }

  #add(high: number, low: number): void {
    this.#set(this.high, this.low, high, low);
  }

  #rotate(bits: number): void {
    const { high, low } = this;
    this.high = ((high << bits) | (low >>> (32 - bits))) >>> 0;
    this.low = ((low << bits) | (high >>> (32 - bits))) >>> 0;
  }

  /** this ^= this >>> bits, for 29, 32 and 33 */
  #shiftXor(bits: number): void {
    const { high, low } = this;
    if (bits >= 32) {
      this.low = (low ^ (high >>> (bits - 32))) >>> 0;
      return;
    }
    this.high = (high ^ (high >>> bits)) >>> 0;
    this.low = (low ^ ((low >>> bits) | (high << (32 - bits)))) >>> 0;
  }

  /** this *= factor, modulo 2^64 */
  #multiply(factorHigh: number, factorLow: number): void {
    const { high, low } = this;
    const a0 = low & 0xffff;
    const a1 = low >>> 16;
    const b0 = factorLow & 0xffff;
    const b1 = factorLow >>> 16;
    const cross = a1 * b0 + ((a0 * b0) >>> 16);
    const middle = (cross & 0xffff) + a0 * b1;
    const carried = a1 * b1 + Math.floor(cross / 65536) + Math.floor(middle / 65536);
    this.high = (carried + Math.imul(high, factorLow) + Math.imul(low, factorHigh)) >>> 0;
    this.low = Math.imul(low, factorLow) >>> 0;
  }
}
