/**
 * How long the bottom of a last-in-first-out stack was left alone, without a clock reading per request: the lowest
 * height of a period is the number of entries that nobody took during it. Two periods of half the idle limit make
 * "idle for the limit, at most half of it longer".
 */
export class IdleAges {
  #lowest = 0;
  #lowestBefore = 0;

  /** The stack has this height after a pop. */
  popped(height: number): void {
    if (height < this.#lowest) this.#lowest = height;
  }

  /** One entry anywhere in the stack is gone. */
  removed(): void {
    if (this.#lowest > 0) this.#lowest--;
    if (this.#lowestBefore > 0) this.#lowestBefore--;
  }

  /** A period is over. Returns how many entries at the bottom are too old. */
  turn(height: number): number {
    const old = Math.min(this.#lowest, this.#lowestBefore);
    this.#lowestBefore = this.#lowest;
    this.#lowest = height;
    return old;
  }
}
