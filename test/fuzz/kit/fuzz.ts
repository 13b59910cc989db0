/**
 * One target of the fuzzer: a file test/fuzz/<name>.ts that exports `target`. Inputs are made with knowledge of the
 * format and then damaged, because random bytes never get past the first check.
 */
export interface FuzzTarget {
  readonly name: string;
  /** One input; equal for equal random numbers. */
  generate(random: FuzzRandom): Buffer;
  /** Throws when a promise of the code is broken. `random` is for choices such as where to split. */
  check(input: Buffer, random: FuzzRandom): void;
}

/** mulberry32: a seed gives the same inputs on every machine. */
export class FuzzRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** An integer in [0, below). */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  chance(ratio: number): boolean {
    return this.next() < ratio;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }
}

export class FuzzFailure extends Error {
  readonly seed: number;
  readonly input: Buffer;

  constructor(target: string, seed: number, input: Buffer, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      `${target}: ${reason}\n  again: npm run fuzz -- ${target} --seed ${seed} --count 1\n  input: ${JSON.stringify(input.toString('latin1'))}`,
      { cause },
    );
    this.seed = seed;
    this.input = input;
  }
}

/**
 * Runs `count` inputs, one seed each, from `firstSeed` on.
 * @throws FuzzFailure at the first input that breaks a promise
 */
export function fuzz(target: FuzzTarget, count: number, firstSeed: number): void {
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const random = new FuzzRandom(seed);
    const input = target.generate(random);
    try {
      target.check(input, random);
    } catch (cause) {
      throw new FuzzFailure(target.name, seed, input, cause);
    }
  }
}

const damages: readonly ((input: Buffer, at: number, random: FuzzRandom) => Buffer)[] = [
  (input, at) => Buffer.concat([input.subarray(0, at), input.subarray(at + 1)]),
  (input, at, random) =>
    Buffer.concat([input.subarray(0, at), random.bytes(1 + random.below(3)), input.subarray(at)]),
  (input, at, random) => {
    const copy = Buffer.from(input);
    copy[at] = random.below(256);
    return copy;
  },
  (input, at) => input.subarray(0, at),
  (input, at, random) => {
    const end = Math.min(input.length, at + 1 + random.below(20));
    return Buffer.concat([input.subarray(0, end), input.subarray(at)]);
  },
  (input, at, random) =>
    Buffer.concat([
      input.subarray(0, at),
      Buffer.from(
        random.pick(['\r', '\n', '\r\n', '\0', ' ', '\t', ':', ',', ';', '\x0b', '\x7f', '\xff']),
        'latin1',
      ),
      input.subarray(at),
    ]),
];

/** Changes, adds, repeats or cuts a few bytes. */
export function damage(input: Buffer, random: FuzzRandom): Buffer {
  let damaged = input;
  for (let times = 1 + random.below(2); times > 0 && damaged.length > 0; times--) {
    damaged = random.pick(damages)(damaged, random.below(damaged.length), random);
  }
  return damaged;
}
