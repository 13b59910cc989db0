import type { Wire } from '../../core/contract/wire.ts';

/** Connections per client address; holds no entry for an address without one. */
export class SourceCounts {
  readonly #counts = new Map<string, number>();

  get size(): number {
    return this.#counts.size;
  }

  /** False when `limit` is reached; nothing is counted then. */
  add(wire: Wire, limit: number): boolean {
    const address = wire.peer.address;
    const count = this.#counts.get(address) ?? 0;
    if (count >= limit) return false;
    this.#counts.set(address, count + 1);
    return true;
  }

  remove(wire: Wire): void {
    const address = wire.peer.address;
    const count = this.#counts.get(address);
    if (count === undefined) return;
    if (count <= 1) this.#counts.delete(address);
    else this.#counts.set(address, count - 1);
  }
}
