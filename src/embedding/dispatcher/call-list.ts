/** Something that a `CallList` holds. */
export interface Listed {
  /** Where it stands in its list; -1: in none. */
  place: number;
}

/**
 * Calls under way, in no order. A `Set` would do, but a table of it that is full of what was deleted links to the next one:
 * once the first is old, those after it, and all calls that stood in them, stay until the next full collection.
 */
export class CallList<Call extends Listed> {
  readonly #calls: Call[] = [];

  get size(): number {
    return this.#calls.length;
  }

  add(call: Call): void {
    call.place = this.#calls.length;
    this.#calls.push(call);
  }

  delete(call: Call): void {
    if (call.place < 0) return;
    const last = this.#calls.pop() as Call;
    if (last !== call) {
      this.#calls[call.place] = last;
      last.place = call.place;
    }
    call.place = -1;
  }

  all(): readonly Call[] {
    return [...this.#calls];
  }
}
