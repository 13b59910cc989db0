const remembered = 128;
const none: Int32Array = new Int32Array(0);

/**
 * The streams that this side closed last while the peer may still have been sending: their frames are on the way and
 * no offence (RFC 9113 §5.1). Exists only where that happened.
 */
export class ClosedIds {
  #ids: Int32Array = none;
  #next = 0;

  add(id: number): void {
    if (this.#ids.length === 0) this.#ids = new Int32Array(remembered);
    this.#ids[this.#next++ % remembered] = id;
  }

  has(id: number): boolean {
    return this.#ids.indexOf(id) >= 0;
  }
}
