import { defineField } from './to-java.ts';

/**
 * What a hessian library read, as plain values: maps with names as keys become objects, others become Maps; exceptions
 * become plain objects with class and message. What occurs twice stays one object.
 */
export class PlainReader {
  readonly #known = new Map<object, unknown>();

  read(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    if (value instanceof Date || Buffer.isBuffer(value)) return value;
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    if (Array.isArray(value)) {
      const list: unknown[] = [];
      this.#known.set(value, list);
      for (const each of value) list.push(this.read(each));
      return list;
    }
    if (value instanceof Error) return { $class: value.name, message: value.message };
    return this.#object(value);
  }

  #object(value: object): unknown {
    const entries = (value as { readonly $map?: unknown }).$map;
    if (entries instanceof Map && ![...entries.keys()].every((key) => typeof key === 'string')) {
      const map = new Map<unknown, unknown>();
      this.#known.set(value, map);
      for (const [key, each] of entries) map.set(this.read(key), this.read(each));
      return map;
    }
    const plain: Record<string, unknown> = {};
    this.#known.set(value, plain);
    const all = entries instanceof Map ? (entries as Map<string, unknown>) : Object.entries(value);
    for (const [name, each] of all) defineField(plain, name, this.read(each));
    return plain;
  }
}
