import type { Endpoint } from '../contract/cluster.ts';
import { sameEndpoint } from '../contract/endpoint.ts';

/** What many addresses share. */
export type HostFacts = Omit<Endpoint, 'address'>;

/** In `#ports`: the address is not an IPv4 one, `#ips` holds its number among the texts. */
const isText = 0x1_0000;
const minPlaces = 8;

/**
 * The hosts of one list, held small: registries hold whole lists of which clusters use a part. An IPv4 address with port is
 * two numbers, its facts one pointer to what other hosts say as well; other addresses are kept as texts. Endpoints are made
 * when somebody reads them.
 *
 *   place = hash(ip, port) -> row;   rows: ip | port | facts, without gaps: removal moves the last row
 *
 * 50,000 hosts that share facts take 29 bytes each (as objects with a map: 270; as Dubbo's URL objects: 1,328).
 */
export class HostTable implements Iterable<Endpoint> {
  #size = 0;
  #ips = new Uint32Array(0);
  #ports = new Uint32Array(0);
  #facts: HostFacts[] = [];
  /** A number for each row, once somebody sets one. */
  #tags: Uint32Array | null = null;
  /** Rows plus one by hash, probed one after the other; 0 = free. */
  #places = new Uint32Array(minPlaces);
  readonly #texts = new Map<string, number>();
  readonly #textOf: string[] = [];
  readonly #freeTexts: number[] = [];
  /** Of the last `#read`: one address is read at a time. */
  #ip = 0;
  #port = 0;

  get size(): number {
    return this.#size;
  }

  has(address: string): boolean {
    return this.#read(address, false) && this.#rowOf(this.#ip, this.#port) >= 0;
  }

  get(address: string): Endpoint | undefined {
    const row = this.#read(address, false) ? this.#rowOf(this.#ip, this.#port) : -1;
    return row < 0 ? undefined : { address, ...(this.#facts[row] as HostFacts) };
  }

  /** @param facts shared with other hosts where they are equal. @returns what it was before */
  put(address: string, facts: HostFacts): 'added' | 'changed' | 'same' {
    this.#read(address, true);
    const known = this.#rowOf(this.#ip, this.#port);
    if (known >= 0) {
      const before = this.#facts[known] as HostFacts;
      if (before === facts || sameEndpoint(before as Endpoint, facts as Endpoint)) return 'same';
      this.#facts[known] = facts;
      return 'changed';
    }
    const row = this.#size++;
    if (row >= this.#ips.length) this.#growRows(row + 1);
    if (this.#tags !== null) this.#tags[row] = 0;
    this.#ips[row] = this.#ip;
    this.#ports[row] = this.#port;
    this.#facts[row] = facts;
    if (this.#size * 3 > this.#places.length * 2) this.#growPlaces();
    else this.#place(row);
    return 'added';
  }

  delete(address: string): boolean {
    if (!this.#read(address, false)) return false;
    const row = this.#rowOf(this.#ip, this.#port);
    if (row < 0) return false;
    if (this.#port === isText) this.#forgetText(address, this.#ip);
    this.#unplace(row);
    const last = --this.#size;
    if (row !== last) {
      const place = this.#placeOf(this.#ips[last] as number, this.#ports[last] as number);
      this.#ips[row] = this.#ips[last] as number;
      this.#ports[row] = this.#ports[last] as number;
      this.#facts[row] = this.#facts[last] as HostFacts;
      if (this.#tags !== null) this.#tags[row] = this.#tags[last] as number;
      this.#places[place] = row + 1;
    }
    this.#facts.length = last;
    return true;
  }

  /** 0 when none was set, or no such host is there. */
  tagOf(address: string): number {
    const row = this.#read(address, false) ? this.#rowOf(this.#ip, this.#port) : -1;
    return row < 0 ? 0 : (this.#tags?.[row] ?? 0);
  }

  /** Notes a 32-bit number beside a host that is there. */
  setTag(address: string, tag: number): void {
    const row = this.#read(address, false) ? this.#rowOf(this.#ip, this.#port) : -1;
    if (row < 0) return;
    this.#tags ??= new Uint32Array(this.#ips.length);
    this.#tags[row] = tag;
  }

  *[Symbol.iterator](): Generator<Endpoint, void, undefined> {
    for (let row = 0; row < this.#size; row++) {
      yield { address: this.#addressAt(row), ...(this.#facts[row] as HostFacts) };
    }
  }

  *addresses(): Generator<string, void, undefined> {
    for (let row = 0; row < this.#size; row++) yield this.#addressAt(row);
  }

  #addressAt(row: number): string {
    const ip = this.#ips[row] as number;
    const port = this.#ports[row] as number;
    if (port === isText) return this.#textOf[ip] as string;
    return `${ip >>> 24}.${(ip >>> 16) & 255}.${(ip >>> 8) & 255}.${ip & 255}:${port}`;
  }

  /** @returns false when no host has such an address; never when it may be `added` */
  #read(address: string, isAdded: boolean): boolean {
    if (this.#readIpv4(address)) return true;
    this.#port = isText;
    const known = this.#texts.get(address);
    if (known !== undefined) this.#ip = known;
    else if (isAdded) {
      this.#ip = this.#freeTexts.pop() ?? this.#textOf.length;
      this.#texts.set(address, this.#ip);
      this.#textOf[this.#ip] = address;
    }
    return known !== undefined || isAdded;
  }

  /** "10.0.0.1:80" and only what is written back the same: "010.0.0.1:80" is a text. */
  #readIpv4(address: string): boolean {
    let ip = 0;
    let part = 0;
    let digits = 0;
    let parts = 0;
    for (let i = 0; i < address.length; i++) {
      const char = address.charCodeAt(i);
      if (char >= 48 && char <= 57) {
        if (digits > 0 && part === 0) return false;
        part = part * 10 + char - 48;
        if (++digits > 5) return false;
        continue;
      }
      if (digits === 0 || part > 255 || parts === 4 || char !== (parts === 3 ? 58 : 46)) return false;
      ip = ip * 256 + part;
      parts++;
      part = 0;
      digits = 0;
    }
    if (parts !== 4 || digits === 0 || part > 65535) return false;
    this.#ip = ip;
    this.#port = part;
    return true;
  }

  #forgetText(address: string, id: number): void {
    this.#texts.delete(address);
    this.#textOf[id] = '';
    this.#freeTexts.push(id);
  }

  #rowOf(ip: number, port: number): number {
    const place = this.#placeOf(ip, port);
    return place < 0 ? -1 : (this.#places[place] as number) - 1;
  }

  #placeOf(ip: number, port: number): number {
    const mask = this.#places.length - 1;
    for (let place = hash(ip, port) & mask; ; place = (place + 1) & mask) {
      const row = (this.#places[place] as number) - 1;
      if (row < 0) return -1;
      if (this.#ips[row] === ip && this.#ports[row] === port) return place;
    }
  }

  #place(row: number): void {
    const mask = this.#places.length - 1;
    let place = hash(this.#ips[row] as number, this.#ports[row] as number) & mask;
    while (this.#places[place] !== 0) place = (place + 1) & mask;
    this.#places[place] = row + 1;
  }

  /** Closes the gap, so that no place needs a mark (Knuth 6.4, algorithm R). */
  #unplace(row: number): void {
    const mask = this.#places.length - 1;
    let gap = this.#placeOf(this.#ips[row] as number, this.#ports[row] as number);
    for (let at = (gap + 1) & mask; this.#places[at] !== 0; at = (at + 1) & mask) {
      const moved = (this.#places[at] as number) - 1;
      const home = hash(this.#ips[moved] as number, this.#ports[moved] as number) & mask;
      if (((at - home) & mask) < ((at - gap) & mask)) continue;
      this.#places[gap] = moved + 1;
      gap = at;
    }
    this.#places[gap] = 0;
  }

  #growRows(rows: number): void {
    const length = Math.max(rows, 8, Math.ceil(this.#ips.length * 1.5));
    const ips = new Uint32Array(length);
    const ports = new Uint32Array(length);
    ips.set(this.#ips);
    ports.set(this.#ports);
    this.#ips = ips;
    this.#ports = ports;
    if (this.#tags === null) return;
    const tags = new Uint32Array(length);
    tags.set(this.#tags);
    this.#tags = tags;
  }

  #growPlaces(): void {
    this.#places = new Uint32Array(this.#places.length * 2);
    for (let row = 0; row < this.#size; row++) this.#place(row);
  }
}

/** Addresses of one net differ in few bits. */
function hash(ip: number, port: number): number {
  let mixed = ip ^ Math.imul(port, 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
