/** First in, first out; the array is cut now and then instead of at every `shift`. */
export class CheckQueue<T> {
  #items: T[] = [];
  #first = 0;

  get length(): number {
    return this.#items.length - this.#first;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Null when it is empty. */
  shift(): T | null {
    if (this.#first === this.#items.length) return null;
    const item = this.#items[this.#first++] as T;
    if (this.#first > 64 && this.#first * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }
}
