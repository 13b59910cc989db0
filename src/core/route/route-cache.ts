import type { HeadView } from '../base/head-view.ts';

const places = 1024;
const keyBytes = 160;
const question = 63;

/** Answers of `find`. */
export const notCached = -2;

/**
 * Outcomes by (virtual host, path without query, method), asked before a pattern is: about 50 ns against 250 and more.
 * The trie alone costs as much as a look-up here, so nothing else is cached. Bounded and direct-mapped: a stranger's
 * invented paths overwrite entries, nothing grows. The memory (190 KiB) is taken with the first entry.
 */
export class RouteCache {
  #keys: Uint8Array = new Uint8Array(0);
  readonly #lengths: Uint8Array = new Uint8Array(places);
  readonly #hosts: Int32Array = new Int32Array(places).fill(-1);
  readonly #routes: Int32Array = new Int32Array(places);
  /** The key of the last `find`, path and method side by side. */
  readonly #key: Uint8Array = new Uint8Array(keyBytes);
  #place = -1;
  #length = 0;
  #host = 0;

  /** What `put` said under that key, or `notCached`. `put` fills the place of the last `find`. */
  find(host: number, buf: Uint8Array, start: number, end: number, head: HeadView): number {
    const hash = this.#readKey(host, buf, start, end, head);
    if (this.#length > keyBytes) {
      this.#place = -1;
      return notCached;
    }
    const place = (hash ^ (hash >>> 15)) & (places - 1);
    this.#place = place;
    this.#host = host;
    if (this.#hosts[place] !== host || this.#lengths[place] !== this.#length) return notCached;
    const keys = this.#keys;
    const from = place * keyBytes;
    for (let i = 0; i < this.#length; i++) if (keys[from + i] !== this.#key[i]) return notCached;
    return this.#routes[place] as number;
  }

  put(route: number): void {
    const place = this.#place;
    if (place < 0) return;
    if (this.#keys.length === 0) this.#keys = new Uint8Array(places * keyBytes);
    const from = place * keyBytes;
    for (let i = 0; i < this.#length; i++) this.#keys[from + i] = this.#key[i] as number;
    this.#lengths[place] = this.#length;
    this.#hosts[place] = this.#host;
    this.#routes[place] = route;
  }

  /** Copies the key and returns its hash; a key that is too long is not copied whole. */
  #readKey(host: number, buf: Uint8Array, start: number, end: number, head: HeadView): number {
    const key = this.#key;
    let hash = host;
    let length = 0;
    for (let i = start; i < end && length <= keyBytes; i++) {
      const byte = buf[i] as number;
      if (byte === question) break;
      hash = Math.imul(hash ^ byte, 0x01000193);
      key[length++] = byte;
    }
    // A byte that neither a path nor a method holds keeps the two apart.
    key[length++] = 0;
    const method = head.methodText;
    const methodLength = method === null ? head.methodEnd - head.methodStart : method.length;
    for (let i = 0; i < methodLength && length <= keyBytes; i++) {
      const byte = method === null ? (head.buf[head.methodStart + i] as number) : method.charCodeAt(i);
      hash = Math.imul(hash ^ byte, 0x01000193);
      key[length++] = byte;
    }
    this.#length = length;
    return hash;
  }
}
