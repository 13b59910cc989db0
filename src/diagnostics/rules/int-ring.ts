/** A ring of the last numbers, as holmes keeps it: ten values, integer average, oldest first and zero-padded. */
export class IntRing {
  readonly #values: number[] = [];
  readonly #capacity: number;
  #next = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  push(value: number): void {
    if (this.#values.length < this.#capacity) this.#values.push(value);
    else this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % this.#capacity;
  }

  /** Sum over count, towards zero; 0 when empty. */
  average(): number {
    if (this.#values.length === 0) return 0;
    let sum = 0;
    for (const value of this.#values) sum += value;
    return Math.trunc(sum / this.#values.length);
  }

  /** Oldest to newest, padded with zeros at the end up to the capacity. */
  sequence(): number[] {
    const full = this.#values.length === this.#capacity;
    const ordered = full
      ? [...this.#values.slice(this.#next), ...this.#values.slice(0, this.#next)]
      : [...this.#values];
    while (ordered.length < this.#capacity) ordered.push(0);
    return ordered;
  }
}
