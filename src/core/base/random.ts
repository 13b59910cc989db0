/** Chance, injected: core code uses no other source. Not for secrets. */
export interface Random {
  /** Uniform in [0, 1) with 32 bits. */
  next(): number;
  /** Uniform integer in [0, 2^32). */
  uint32(): number;
  /** The same 32 bits as a signed integer: never a double, so cheaper where only the bits count. */
  int32(): number;
}

/**
 * xoshiro128** (Blackman and Vigna, 2018): about 3 ns a draw, period 2^128 - 1. The state is signed: numbers from 2^31 on
 * would be doubles on the heap (10 ns a draw).
 */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param more bits for the rest of the state: with 32 alone, two of 77,000 processes are likely to draw alike */
  constructor(seed: number, more: readonly number[] = []) {
    let state = seed >>> 0;
    const splitmix = (): number => {
      state = (state + 0x9e3779b9) >>> 0;
      let mixed = state ^ (state >>> 16);
      mixed = Math.imul(mixed, 0x21f0aaad);
      mixed ^= mixed >>> 15;
      mixed = Math.imul(mixed, 0x735a2d97);
      return mixed ^ (mixed >>> 15);
    };
    this.#a = splitmix() ^ (more[0] ?? 0);
    this.#b = splitmix() ^ (more[1] ?? 0);
    this.#c = splitmix() ^ (more[2] ?? 0);
    this.#d = splitmix() | 1;
  }

  uint32(): number {
    return this.int32() >>> 0;
  }

  int32(): number {
    const scrambled = Math.imul(this.#b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  next(): number {
    return this.uint32() / 4294967296;
  }
}
