import type { HeadTemplate } from './head-template.ts';

const places = 16;

interface Known {
  template: HeadTemplate;
  /** Of the encoder's table when the block was written. */
  readonly version: number;
  readonly block: Buffer;
}

/**
 * Blocks of wire fields as one encoder wrote them last, by the head that they came from: 50 ns to find where writing
 * eight fields costs 400. Heads of other connections with the same bytes count as the same; bounded to 16 an encoder.
 */
export class KnownBlocks {
  #known: (Known | null)[] | null = null;

  /** Null: not known, or the table means something else by now. */
  find(template: HeadTemplate, version: number): Buffer | null {
    if (this.#known === null) return null;
    const known = this.#known[template.hash & (places - 1)] as Known | null;
    if (known === null || known.version !== version) return null;
    if (known.template !== template) {
      if (!known.template.isSame(template)) return null;
      known.template = template;
    }
    return known.block;
  }

  keep(template: HeadTemplate, version: number, block: Buffer): void {
    this.#known ??= new Array<Known | null>(places).fill(null);
    this.#known[template.hash & (places - 1)] = { template, version, block };
  }

  /** Idle connections hold none. */
  clear(): void {
    this.#known = null;
  }
}
