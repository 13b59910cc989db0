import type { Stream } from '../contract/stream.ts';
import type { ExactKey } from './conditions.ts';
import { PackedNames } from './packed-names.ts';

/** Marks a packed value that is a position among the groups; routes and their `proven` mark leave this bit free. */
const groupMark = 0x20000000;

/** Routes by the one value of a header or variable that each of them asks for. */
export class KeyIndex {
  #key: ExactKey | null = null;
  #lowerName = '';
  /** Value to ascending routes; one number where there is one route. */
  readonly #lists: Map<string, readonly number[] | number> = new Map();
  readonly #groups: (readonly number[])[] = [];
  #packed: PackedNames | null = null;

  /** @param route in ascending order, perhaps marked `proven` */
  add(key: ExactKey, route: number): void {
    this.#key = key;
    const known = this.#lists.get(key.value);
    if (known === undefined) this.#lists.set(key.value, route);
    else this.#lists.set(key.value, typeof known === 'number' ? [known, route] : [...known, route]);
  }

  /** All routes are added. Values of a header are then found by their bytes, without a string of them. */
  close(): void {
    const header = this.#key?.header ?? null;
    if (header === null) return;
    this.#lowerName = header.toLowerCase();
    const values = [...this.#lists].map(([value, list]): [string, number] => {
      if (typeof list === 'number') return [value, list];
      this.#groups.push(list);
      return [value, groupMark | (this.#groups.length - 1)];
    });
    this.#packed = PackedNames.of(values);
  }

  /** The routes that the stream's value picks, or null. */
  chosenBy(s: Stream): readonly number[] | number | null {
    const key = this.#key as ExactKey;
    if (this.#packed !== null) {
      const found = this.#find(this.#packed, key, s);
      if (found >= 0) return (found & groupMark) === 0 ? found : (this.#groups[found & ~groupMark] ?? null);
    }
    const value = key.read(s);
    return value === null ? null : (this.#lists.get(value) ?? null);
  }

  /** Only a header that stands in the read bytes, once, is looked up there. */
  #find(packed: PackedNames, key: ExactKey, s: Stream): number {
    const head = s.req;
    const name = head.exactNames ? (key.header as string) : this.#lowerName;
    const index = head.find(name);
    if (index < 0 || index >= head.count || head.findNext(name, index + 1) >= 0) return -1;
    return packed.get(head.buf, head.fields[index * 4 + 2] as number, head.fields[index * 4 + 3] as number);
  }
}
