import { type ConfigPath, type Locate, type Problem, ProblemList } from '../problems.ts';

/** A text that a part of the configuration was read from. */
export interface Source {
  /** Null when the configuration is an object of the program. */
  readonly file: string | null;
  readonly locate: Locate;
  /** What was read, to show values as they were written. */
  readonly value: unknown;
}

/** Where something stands. */
export interface Place {
  readonly source: Source;
  readonly path: ConfigPath;
}

/** Something that was read and does nothing, or something else than in MOSN. The configuration is good all the same. */
export interface Notice {
  /** As in `Problem`. */
  readonly path: string;
  readonly read: string;
  /** What becomes of it and why. */
  readonly reason: string;
  readonly nearest: string | null;
  readonly file: string | null;
  readonly line: number | null;
}

/** What the conversion of a MOSN file has to tell, graver or lighter by how dangerous it would be to go on. */
export class Report {
  /** MOSN's own behaviour: what it skips is skipped, with a notice. */
  readonly isLenient: boolean;
  readonly #problems: Map<Source, ProblemList> = new Map();
  readonly #notices: Map<Source, ProblemList> = new Map();

  constructor(isLenient: boolean) {
    this.isLenient = isLenient;
  }

  get problems(): readonly Problem[] {
    return [...this.#problems.values()].flatMap((list) => list.all);
  }

  get notices(): readonly Notice[] {
    const all = [...this.#notices.values()].flatMap((list) => list.all);
    return all.map(({ allowed, ...rest }) => ({ ...rest, reason: allowed }));
  }

  /** It cannot run. */
  problem(place: Place, read: unknown, allowed: string, candidates: readonly string[] = []): void {
    listOf(this.#problems, place.source).add(place.path, read, allowed, candidates);
  }

  /** It runs, and this has another effect than in MOSN or none. */
  notice(place: Place, read: unknown, reason: string, candidates: readonly string[] = []): void {
    listOf(this.#notices, place.source).add(place.path, read, reason, candidates);
  }

  /** MOSN would have done something that cannot be done here. Refused, and left out under `--lenient`. */
  unsupported(place: Place, read: unknown, why: string): void {
    if (this.isLenient) this.notice(place, read, `left out: ${why}`);
    else this.problem(place, read, `nothing here: ${why}; --lenient leaves it out`);
  }

  /** As `unsupported`, but it guards something: left out it would open what was closed, so not under `--lenient` either. */
  refuse(place: Place, read: unknown, why: string): void {
    this.problem(place, read, `nothing here: ${why}; it is not left out, as it protects something`);
  }
}

function listOf(lists: Map<Source, ProblemList>, source: Source): ProblemList {
  let list = lists.get(source);
  if (list === undefined) {
    list = new ProblemList(source.file, source.locate, source.value);
    lists.set(source, list);
  }
  return list;
}

/** One line a notice, as problems are told. */
export function formatNotices(notices: readonly Notice[]): string {
  return notices.map(formatNotice).join('\n');
}

function formatNotice({ file, line, path, read, reason, nearest }: Notice): string {
  const place = file === null ? '' : `${file}${line === null ? '' : `:${line}`}: `;
  const meant = nearest === null ? '' : ` — did you mean ${JSON.stringify(nearest)}?`;
  return `${place}${path === '' ? '(configuration)' : path}: read ${read}; ${reason}${meant}`;
}
