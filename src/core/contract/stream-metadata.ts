/**
 * A few texts by key that belong to one stream. Two arrays instead of a Map: with the handful of keys that filters set,
 * a look-up costs a few compared pointers, and a pooled stream keeps the arrays (a Map a stream costs 150 ns).
 */
export class StreamMetadata {
  readonly #keys: string[] = [];
  readonly #values: string[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): string | undefined {
    for (let i = 0; i < this.#size; i++) if (this.#keys[i] === key) return this.#values[i];
    return undefined;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  set(key: string, value: string): void {
    let i = 0;
    while (i < this.#size && this.#keys[i] !== key) i++;
    if (i === this.#size) this.#size++;
    this.#keys[i] = key;
    this.#values[i] = value;
  }

  *[Symbol.iterator](): Iterator<[string, string]> {
    for (let i = 0; i < this.#size; i++) yield [this.#keys[i] as string, this.#values[i] as string];
  }

  clear(): void {
    this.#size = 0;
  }
}
