import type { ConfigPath } from '../problems.ts';
import type { Place } from './report.ts';

interface Mark {
  readonly place: Place;
  readonly keys: Readonly<Record<string, Place>>;
}

/** Which part of a MOSN file each part of the native configuration was made from, so that problems name the former. */
export class Origins {
  readonly #marks: WeakMap<object, Mark> = new WeakMap();

  /** @param keys places of single keys of `made`, where they are known better than that of the whole */
  mark<T extends object>(made: T, place: Place, keys: Readonly<Record<string, Place>> = {}): T {
    this.#marks.set(made, { place: { source: place.source, path: place.path }, keys });
    return made;
  }

  /** The place of the innermost part of `path` that has one. @param root what was made of the whole file */
  find(root: object, path: ConfigPath): Place | null {
    let value: unknown = root;
    let found: Place | null = this.#marks.get(root)?.place ?? null;
    for (const key of path) {
      if (typeof value !== 'object' || value === null) break;
      found = this.#marks.get(value)?.keys[key] ?? found;
      value = (value as Record<PropertyKey, unknown>)[key];
      if (typeof value === 'object' && value !== null) found = this.#marks.get(value)?.place ?? found;
    }
    return found;
  }
}
