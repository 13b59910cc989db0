import type * as Yaml from 'yaml';
import type { ConfigPath, ProblemList } from './problems.ts';

/** Values of one configuration, each use of an alias counted anew. */
const maxValues = 1_000_000;
const maxDepth = 64;
const reserved: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Turns a YAML document into plain values. Aliases are unfolded within a bound on the whole, so a bomb stays small. */
export class PlainReader {
  readonly #yaml: typeof Yaml;
  readonly #document: Yaml.Document;
  readonly #problems: ProblemList;
  #values = 0;

  constructor(yaml: typeof Yaml, document: Yaml.Document, problems: ProblemList) {
    this.#yaml = yaml;
    this.#document = document;
    this.#problems = problems;
  }

  read(): unknown {
    return this.#plain(this.#document.contents, []);
  }

  #plain(node: unknown, path: ConfigPath): unknown {
    this.#values++;
    if (this.#values > maxValues || path.length > maxDepth) {
      const limit = this.#values > maxValues ? `at most ${maxValues} values` : `at most ${maxDepth} levels`;
      // Told at the top: the place where a bomb is cut off means nothing.
      this.#problems.add([], 'more', `${limit}, aliases unfolded`);
      return null;
    }
    const yaml = this.#yaml;
    if (yaml.isAlias(node)) return this.#plain(node.resolve(this.#document), path);
    if (yaml.isMap(node)) return this.#plainMap(node, path);
    if (yaml.isSeq(node)) return node.items.map((item, index) => this.#plain(item, [...path, index]));
    const value: unknown = yaml.isScalar(node) ? node.value : null;
    return value;
  }

  #plainMap(map: Yaml.YAMLMap, path: ConfigPath): unknown {
    const plain = Object.create(null) as Record<string, unknown>;
    for (const { key, value } of map.items) {
      const name = this.#keyName(key);
      if (name === null) {
        this.#problems.add(path, 'a key that is no text', 'a text');
        continue;
      }
      const place = [...path, name];
      if (reserved.has(name))
        this.#problems.add(place, name, 'any key but __proto__, constructor, prototype');
      else if (name in plain) this.#problems.add(place, name, 'each key once');
      else plain[name] = this.#plain(value, place);
    }
    return plain;
  }

  #keyName(key: unknown): string | null {
    if (!this.#yaml.isScalar(key)) return null;
    const value = key.value;
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : null;
  }
}
