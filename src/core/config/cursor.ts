import type { ConfigPath } from './problems.ts';

/**
 * A place in a configuration that may be malformed: reading never throws, a wrong type reads as empty. So references
 * are checked even where another part does not fit the schema, and all problems are told at once.
 */
export class Cursor {
  readonly value: unknown;
  readonly path: ConfigPath;

  constructor(value: unknown, path: ConfigPath = []) {
    this.value = value;
    this.path = path;
  }

  at(key: string): Cursor {
    const record = this.record();
    return new Cursor(record !== null && Object.hasOwn(record, key) ? record[key] : undefined, [
      ...this.path,
      key,
    ]);
  }

  /** Whether something other than undefined stands at `key`. */
  has(key: string): boolean {
    return this.at(key).value !== undefined;
  }

  /** The keys of `names` that are set. */
  given(names: readonly string[]): string[] {
    return names.filter((name) => this.has(name));
  }

  items(): Cursor[] {
    if (!Array.isArray(this.value)) return [];
    return this.value.map((value, index) => new Cursor(value, [...this.path, index]));
  }

  entries(): [string, Cursor][] {
    return Object.keys(this.record() ?? {}).map((key) => [key, this.at(key)]);
  }

  text(): string | null {
    return typeof this.value === 'string' ? this.value : null;
  }

  record(): Record<string, unknown> | null {
    const value = this.value;
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  }
}
