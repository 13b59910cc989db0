import { missing } from '../problems.ts';
import { parseGoDuration } from './go-duration.ts';
import type { Place, Report } from './report.ts';

/** The keys of one object of MOSN's, by what becomes of them here. */
export interface Keys<Read extends string> {
  /** They mean something here. */
  readonly read: readonly Read[];
  /** They do nothing here, with the reason: a notice. */
  readonly ineffective?: Readonly<Record<string, string>>;
  /** They would do something in MOSN that cannot be done here: a problem, a notice under `--lenient`. */
  readonly unsupported?: Readonly<Record<string, string>>;
  /** As `unsupported` for what protects something: always a problem. */
  readonly refused?: Readonly<Record<string, string>>;
}

/**
 * An object of a MOSN file. Keys are found as Go's encoding/json finds them: exactly, else whatever their case. A wrong
 * type is a problem and reads as absent; null and Go's zero values are absent.
 */
export class Section<Read extends string = string> implements Place {
  readonly source: Place['source'];
  readonly path: Place['path'];
  readonly report: Report;
  readonly #record: Readonly<Record<string, unknown>>;
  /** Lower case to the key as it was written. */
  readonly #written: Map<string, string> = new Map();

  private constructor(report: Report, place: Place, record: Readonly<Record<string, unknown>>) {
    this.source = place.source;
    this.path = place.path;
    this.report = report;
    this.#record = record;
    for (const key of Object.keys(record)) this.#note(key);
  }

  /** Null, and a problem, when `value` is no object. Tells of every key that means nothing here. */
  static open<Read extends string>(
    report: Report,
    place: Place,
    value: unknown,
    keys: Keys<Read>,
  ): Section<Read> | null {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      report.problem(place, value, 'an object');
      return null;
    }
    const section = new Section<Read>(report, place, value as Record<string, unknown>);
    section.#tell(keys);
    return section;
  }

  /** Whether something other than Go's zero value stands there. */
  has(key: Read): boolean {
    return !isZero(this.raw(key));
  }

  raw(key: Read): unknown {
    const written = this.#written.get(key.toLowerCase());
    return written === undefined ? undefined : (this.#record[written] ?? undefined);
  }

  at(key: Read): Place {
    return {
      source: this.source,
      path: [...this.path, this.#written.get(key.toLowerCase()) ?? key],
    };
  }

  /** "" when absent. */
  text(key: Read): string {
    return this.#typed(key, 'string', 'a text') ?? '';
  }

  /** A text that must be there. */
  required(key: Read): string {
    const text = this.text(key);
    if (text === '' && !this.has(key)) this.report.problem(this.at(key), missing, 'this key is required');
    return text;
  }

  flag(key: Read): boolean {
    return this.#typed(key, 'boolean', 'true or false') ?? false;
  }

  /** A whole number from 0 on; undefined when absent or 0. */
  count(key: Read): number | undefined {
    const value = this.#typed<number>(key, 'number', 'a whole number');
    if (value === undefined || value === 0) return undefined;
    if (Number.isSafeInteger(value) && value > 0) return value;
    this.report.problem(this.at(key), value, 'a whole number, at least 0');
    return undefined;
  }

  number(key: Read): number | undefined {
    return this.#typed<number>(key, 'number', 'a number');
  }

  /** Milliseconds of a Go duration; undefined when absent or "0s". */
  durationMs(key: Read): number | undefined {
    const value = this.raw(key);
    if (value === undefined || value === '' || value === 0) return undefined;
    const ms = typeof value === 'string' ? parseGoDuration(value) : null;
    if (ms === null) {
      const hint = typeof value === 'number' ? ' with its unit; MOSN takes no bare number either' : '';
      this.report.problem(this.at(key), value, `a Go duration such as "300ms" or "1h30m"${hint}`);
    }
    return ms === null || ms === 0 ? undefined : ms;
  }

  texts(key: Read): string[] {
    return this.#list(key).flatMap((value, index) => {
      if (typeof value === 'string') return value;
      this.report.problem(this.#item(key, index), value, 'a text');
      return [];
    });
  }

  section<Inner extends string>(key: Read, keys: Keys<Inner>): Section<Inner> | null {
    const value = this.raw(key);
    return value === undefined ? null : Section.open(this.report, this.at(key), value, keys);
  }

  sections<Inner extends string>(key: Read, keys: Keys<Inner>): Section<Inner>[] {
    return this.#list(key).flatMap(
      (value, index) => Section.open(this.report, this.#item(key, index), value, keys) ?? [],
    );
  }

  /** Key by key of an object whose keys are names. */
  entries(key: Read): [name: string, value: unknown, place: Place][] {
    const value = this.raw(key);
    if (value === undefined) return [];
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.report.problem(this.at(key), value, 'an object');
      return [];
    }
    const { source, path } = this.at(key);
    return Object.entries(value).map(([name, inner]) => [name, inner, { source, path: [...path, name] }]);
  }

  #list(key: Read): readonly unknown[] {
    const value = this.raw(key);
    if (value === undefined || Array.isArray(value)) return value ?? [];
    this.report.problem(this.at(key), value, 'a list');
    return [];
  }

  #item(key: Read, index: number): Place {
    const { source, path } = this.at(key);
    return { source, path: [...path, index] };
  }

  #typed<T>(key: Read, type: 'string' | 'number' | 'boolean', what: string): T | undefined {
    const value = this.raw(key);
    if (value === undefined || typeof value === type) return value as T | undefined;
    this.report.problem(this.at(key), value, what);
    return undefined;
  }

  #note(key: string): void {
    const lower = key.toLowerCase();
    const before = this.#written.get(lower);
    this.#written.set(lower, key);
    if (before === undefined) return;
    const place = { source: this.source, path: [...this.path, key] };
    const what = `"${before}" and "${key}" are one key to MOSN`;
    if (this.report.isLenient) this.report.notice(place, key, `${what}: the last one counts`);
    else this.report.problem(place, key, `each key once; ${what}`);
  }

  #tell({ read, ineffective = {}, unsupported = {}, refused = {} }: Keys<Read>): void {
    const known = [
      ...read,
      ...Object.keys(ineffective),
      ...Object.keys(unsupported),
      ...Object.keys(refused),
    ];
    const byLower = new Map(known.map((name) => [name.toLowerCase(), name]));
    for (const [lower, key] of this.#written) {
      const name = byLower.get(lower);
      const place = { source: this.source, path: [...this.path, key] };
      const value = this.#record[key];
      if (name === undefined) this.#tellUnknown(place, key, known);
      else if (isZero(value)) continue;
      else if (Object.hasOwn(ineffective, name)) {
        this.report.notice(place, value, `no effect: ${ineffective[name]}`);
      } else if (Object.hasOwn(unsupported, name)) {
        this.report.unsupported(place, value, unsupported[name] as string);
      } else if (Object.hasOwn(refused, name)) this.report.refuse(place, value, refused[name] as string);
    }
  }

  #tellUnknown(place: Place, key: string, known: readonly string[]): void {
    if (this.report.isLenient) {
      this.report.notice(place, key, 'ignored: MOSN has no such key here', known);
      return;
    }
    const list = known.length === 0 ? 'there is none' : known.map((each) => each.trimEnd()).join(', ');
    this.report.problem(
      place,
      key,
      `a key that MOSN knows here (${list}); --lenient ignores others as MOSN does`,
      known,
    );
  }
}

/** What Go cannot tell from a key that is not there. */
function isZero(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '' || value === 0) return true;
  if (typeof value !== 'object') return false;
  return Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
}
