import { messageOf } from '../../base/errors.ts';
import { checkEndpoint } from '../../contract/check-endpoint.ts';
import type { Logger } from '../../contract/logger.ts';
import type { FileAccess, Publication } from '../../contract/registry.ts';

/** A publication and how long it lives without being said again; 0 = until it is withdrawn. */
export interface LocalPublication extends Publication {
  readonly ttlMs: number;
}

/** What applications said: all that must outlive the process. */
export interface LocalState {
  readonly publications: readonly LocalPublication[];
  readonly subscriptions: readonly string[];
}

const version = 1;
/** Addresses of the inside: the owner's eyes only. */
const fileMode = 0o600;
const empty: LocalState = { publications: [], subscriptions: [] };

/**
 * The state on disk. Writes are atomic and joined: while one runs, all that come wait for the next together. A file that
 * cannot be used is kept aside as `<path>.bad` and the log says why; a disk that is full stops nothing.
 */
export class StateFile {
  /** Why the state is not on disk as it is in memory, "" when it is. */
  problem = '';
  readonly #path: string;
  readonly #files: FileAccess;
  readonly #logger: Logger;
  /** The last write asked for; writes run one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  /** The one that has not begun: it takes whatever is said until then. */
  #next: Promise<boolean> | null = null;

  constructor(path: string, files: FileAccess, logger: Logger) {
    this.#path = path;
    this.#files = files;
    this.#logger = logger;
  }

  get path(): string {
    return this.#path;
  }

  async load(): Promise<LocalState> {
    let text: string;
    try {
      text = await this.#files.readText(this.#path);
    } catch (thrown) {
      // The first start has no file. Any other reason shows again when the state is written.
      if ((thrown as { code?: unknown }).code !== 'ENOENT') this.#warn('not read', messageOf(thrown));
      return empty;
    }
    const state = parseState(text);
    if (typeof state !== 'string') return state;
    await this.#keepAside(text, state);
    return empty;
  }

  /** @param state asked when the write begins. @returns whether what it said is on disk */
  save(state: () => LocalState): Promise<boolean> {
    if (this.#next !== null) return this.#next;
    const next = this.#last.then(() => {
      this.#next = null;
      return this.#write(state());
    });
    this.#next = next;
    this.#last = next;
    return next;
  }

  /** Resolves when no write runs or waits. */
  async settled(): Promise<void> {
    await this.#last;
  }

  async #write(state: LocalState): Promise<boolean> {
    try {
      await this.#files.writeText(this.#path, `${JSON.stringify({ version, ...state })}\n`, fileMode);
      this.problem = '';
      return true;
    } catch (thrown) {
      this.#warn('not saved', messageOf(thrown));
      return false;
    }
  }

  async #keepAside(text: string, reason: string): Promise<void> {
    const aside = `${this.#path}.bad`;
    const kept = await this.#files.writeText(aside, text, fileMode).then(
      () => aside,
      () => 'nowhere',
    );
    this.#logger.error('state of the local registry cannot be used, it begins empty', {
      path: this.#path,
      reason,
      kept,
    });
  }

  /** Once for each reason. */
  #warn(what: string, reason: string): void {
    const problem = `${this.#path} is ${what}: ${reason}`;
    if (this.problem === problem) return;
    this.problem = problem;
    this.#logger.warn(`state of the local registry ${what}`, { path: this.#path, reason });
  }
}

/** @returns the state, or what is wrong with it */
function parseState(text: string): LocalState | string {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return 'it is no JSON, as after a write that was cut off';
  }
  const { version: found, publications, subscriptions } = (read ?? {}) as Record<string, unknown>;
  if (found !== version) return `its version is ${JSON.stringify(found)}, not ${version}`;
  if (!Array.isArray(publications) || !Array.isArray(subscriptions)) return 'it has no lists';
  const state = { publications: [] as LocalPublication[], subscriptions: [] as string[] };
  for (const each of publications) {
    const publication = parsePublication(each);
    if (typeof publication === 'string') return publication;
    state.publications.push(publication);
  }
  for (const each of subscriptions) {
    if (typeof each !== 'string' || each === '') return 'a subscription is no name';
    state.subscriptions.push(each);
  }
  return state;
}

function parsePublication(given: unknown): LocalPublication | string {
  const { service, endpoint: facts, protocol, ttlMs } = (given ?? {}) as Record<string, unknown>;
  const endpoint = checkEndpoint(facts);
  if (typeof endpoint === 'string') return `a publication has ${endpoint}`;
  const isSound =
    typeof service === 'string' &&
    service !== '' &&
    typeof protocol === 'string' &&
    Number.isSafeInteger(ttlMs);
  if (!isSound) return 'a publication lacks service, protocol or ttlMs';
  return { service, endpoint, protocol, ttlMs: ttlMs as number };
}
