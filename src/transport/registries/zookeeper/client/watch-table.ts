import type { JuteWriter } from '../wire/jute.ts';
import { EventType } from '../wire/protocol.ts';
import type { WatchEvent } from '../wire/records.ts';

export type EventListener = (event: WatchEvent) => void;

/** As Java's client: a frame of watches stays well below the smallest limit of servers. */
const maxFrameBytes = 128 * 1024;

/** Paths by kind of watch, as `setWatches` wants them. */
export interface WatchPaths {
  readonly data: string[];
  readonly exists: string[];
  readonly children: string[];
  readonly recursive: string[];
}

/**
 * What is watched at the server and who wants to hear of it. A listener hears of its path and of the nodes right below
 * it, whichever kind of watch brought the event. Watches belong to a connection: `frames` sets all of them again.
 */
export class WatchTable {
  readonly #routes = new Map<string, Set<EventListener>>();
  readonly #data = new Set<string>();
  readonly #exists = new Set<string>();
  readonly #children = new Set<string>();
  readonly #recursive = new Set<string>();

  listen(path: string, listener: EventListener): () => void {
    const route = this.#routes.get(path) ?? new Set();
    this.#routes.set(path, route.add(listener));
    return () => {
      route.delete(listener);
      if (route.size === 0 && this.#routes.get(path) === route) this.#routes.delete(path);
    };
  }

  isListening(path: string): boolean {
    return this.#routes.has(path);
  }

  /** The server watches `path` in that way now. */
  armed(kind: keyof WatchPaths, path: string): void {
    this.#setOf(kind).add(path);
  }

  isRecursive(path: string): boolean {
    return this.#recursive.has(path);
  }

  /** Nothing of `path` is set again. */
  forget(path: string): void {
    for (const set of [this.#data, this.#exists, this.#children, this.#recursive]) set.delete(path);
  }

  /** A server without recursive watches is next: they are not set again. */
  forgetRecursive(): void {
    this.#recursive.clear();
  }

  /** A one-shot watch is gone with its event. */
  dispatch(event: WatchEvent): void {
    const { type, path } = event;
    if (type === EventType.childrenChanged) this.#children.delete(path);
    else {
      this.#data.delete(path);
      this.#exists.delete(path);
      if (type === EventType.deleted) this.#children.delete(path);
    }
    this.#tell(path, event);
    const parent = parentOf(path);
    if (parent !== path && type !== EventType.childrenChanged) this.#tell(parent, event);
  }

  /** Each frame's paths, for as many `setWatches` as it takes. */
  frames(): WatchPaths[] {
    const frames: WatchPaths[] = [];
    let frame: WatchPaths | null = null;
    let size = 0;
    for (const kind of ['data', 'exists', 'children', 'recursive'] as const) {
      for (const path of this.#setOf(kind)) {
        if (frame === null || size > maxFrameBytes) {
          frame = { data: [], exists: [], children: [], recursive: [] };
          frames.push(frame);
          size = 0;
        }
        frame[kind].push(path);
        size += path.length + 4;
      }
    }
    return frames;
  }

  #setOf(kind: keyof WatchPaths): Set<string> {
    if (kind === 'data') return this.#data;
    if (kind === 'exists') return this.#exists;
    return kind === 'children' ? this.#children : this.#recursive;
  }

  #tell(path: string, event: WatchEvent): void {
    const route = this.#routes.get(path);
    if (route !== undefined) for (const listener of [...route]) listener(event);
  }
}

/** SetWatches2 where there are recursive ones, else SetWatches: servers before 3.6 know that alone. */
export function putWatches(writer: JuteWriter, zxid: bigint, paths: WatchPaths): void {
  writer.long(zxid).strings(paths.data).strings(paths.exists).strings(paths.children);
  if (paths.recursive.length > 0) writer.strings([]).strings(paths.recursive);
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}
