import type { Wire } from '../../core/contract/wire.ts';

/** Connections per client address; holds no entry for an address without one. */
export class SourceCounts {
  readonly #counts = new Map<string, number>();

  countOf(wire: Wire): number {
    return this.#counts.get(wire.peer.address) ?? 0;
  }

  add(wire: Wire): void {
    this.#counts.set(wire.peer.address, this.countOf(wire) + 1);
  }

  remove(wire: Wire): void {
    const count = this.countOf(wire);
    if (count <= 1) this.#counts.delete(wire.peer.address);
    else this.#counts.set(wire.peer.address, count - 1);
  }
}
