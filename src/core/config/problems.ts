import { HeddleError } from '../base/errors.ts';
import { nearestWord } from '../base/nearest-word.ts';

/** One thing wrong with a configuration. Plain data. */
export interface Problem {
  /** "listeners[0].virtualHosts[1].routes[2].cluster"; "" is the whole configuration. */
  readonly path: string;
  /** What stands there, as JSON, at most 80 characters; "nothing" where a key is missing; secrets are hidden. */
  readonly read: string;
  /** What may stand there. */
  readonly allowed: string;
  /** The word that was most likely meant. */
  readonly nearest: string | null;
  /** Null when the configuration is an object of the program. */
  readonly file: string | null;
  /** Counted from 1. */
  readonly line: number | null;
}

export type ConfigPath = readonly (string | number)[];
/** Finds the line of a path in the text that was read, or of the nearest place above it. */
export type Locate = (path: ConfigPath) => number | null;

/** Where a part of a configuration stands that was made from another one: the place that its author knows. */
export interface Origin {
  readonly file: string | null;
  readonly path: ConfigPath;
  readonly line: number | null;
}

/** Stands for a key that is missing, as `undefined` may have been written by a program. */
export const missing: unique symbol = Symbol('missing');

const maxProblems = 1000;
/** Among more words than this none is suggested: a thousand problems would take seconds. */
const maxCandidates = 2000;
const secretKey = /token|secret|password|passphrase|credential|private|apikey/i;

/** Collects problems while a configuration is checked; stops collecting at 1,000. */
export class ProblemList {
  readonly all: Problem[] = [];
  readonly #file: string | null;
  readonly #locate: Locate;
  readonly #input: unknown;
  readonly #origin: (path: ConfigPath) => Origin | null;
  readonly #seen: Set<string> = new Set();

  /**
   * @param input what is checked, so that objects are shown as they were written and not with defaults filled in
   * @param origin places to name instead; null where there is none
   */
  constructor(
    file: string | null,
    locate: Locate,
    input?: unknown,
    origin: (path: ConfigPath) => Origin | null = () => null,
  ) {
    this.#file = file;
    this.#locate = locate;
    this.#input = input;
    this.#origin = origin;
  }

  /** @param candidates words among which the one that was meant may be */
  add(
    path: ConfigPath,
    read: unknown,
    allowed: string,
    candidates: ReadonlySet<string> | readonly string[] = [],
  ): void {
    const origin = this.#origin(path);
    const text = formatPath(origin?.path ?? path);
    const key = `${text}\n${allowed}`;
    if (this.all.length >= maxProblems || this.#seen.has(key)) return;
    this.#seen.add(key);
    this.all.push({
      path: text,
      read: isSecretPath(path) && read !== missing ? '(hidden)' : describeRead(this.#asWritten(path, read)),
      allowed,
      nearest: typeof read === 'string' ? suggest(read, candidates) : null,
      file: origin === null ? this.#file : origin.file,
      line: origin === null ? this.#locate(path) : origin.line,
    });
  }

  #asWritten(path: ConfigPath, read: unknown): unknown {
    if (typeof read !== 'object' || read === null) return read;
    let value = this.#input;
    for (const key of path) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return read;
      value = (value as Record<PropertyKey, unknown>)[key];
    }
    return value ?? read;
  }
}

function suggest(read: string, candidates: ReadonlySet<string> | readonly string[]): string | null {
  const size = 'size' in candidates ? candidates.size : candidates.length;
  return size > maxCandidates ? null : nearestWord(read, candidates);
}

/** A path in the way JavaScript would write it. */
export function formatPath(path: ConfigPath): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^[A-Za-z_$][\w$-]*$/.test(key)) text += text === '' ? key : `.${key}`;
    else text += `[${JSON.stringify(key)}]`;
  }
  return text;
}

/** Whether a value there is hidden in messages. */
export function isSecretPath(path: ConfigPath): boolean {
  return path.some((key) => typeof key === 'string' && secretKey.test(key));
}

function describeRead(read: unknown): string {
  if (read === missing) return 'nothing';
  if (typeof read === 'number' || read === undefined) return String(read);
  if (typeof read === 'bigint' || typeof read === 'function' || typeof read === 'symbol')
    return `a ${typeof read}`;
  let text: string;
  try {
    text =
      JSON.stringify(read, (key, value: unknown) => (secretKey.test(key) ? '(hidden)' : value)) ?? 'nothing';
  } catch {
    text = 'an object that refers to itself';
  }
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/**
 * One line a problem, in the order of the file:
 * `heddle.yaml:12: clusters[0].name: read "usres"; allowed: ... — did you mean "users"?`
 */
export function formatProblems(problems: readonly Problem[]): string {
  return problems.map(formatProblem).join('\n');
}

function formatProblem(problem: Problem): string {
  const { file, line, path, read, allowed } = problem;
  const place = file === null ? '' : `${file}${line === null ? '' : `:${line}`}: `;
  const meant = problem.nearest === null ? '' : ` — did you mean ${JSON.stringify(problem.nearest)}?`;
  return `${place}${path === '' ? '(configuration)' : path}: read ${read}; allowed: ${allowed}${meant}`;
}

/** The error that `createMesh` and the command line give; `context.problems` holds the list. */
export function configError(problems: readonly Problem[]): HeddleError {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return new HeddleError('ERR_CONFIG_INVALID', `${count}\n${formatProblems(problems)}\n`, {
    context: { problems },
  });
}
