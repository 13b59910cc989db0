import type { HeadView } from '../base/head-view.ts';
import { PackedNames } from './packed-names.ts';

const maxRemembered = 1024;
const maxRememberedLength = 255;

/** Finds the virtual host of an authority, in Envoy's order: exact, `*.suffix`, `prefix.*`, `*`; longest wildcard first. */
export class HostTable {
  /** "host" or "host:port" in lower case. */
  readonly #exact: Map<string, number> = new Map();
  /** Answers for what is not written exactly so in the configuration; names come from strangers. */
  readonly #remembered: Map<string, number> = new Map();
  readonly #suffixes: WildcardList = new WildcardList();
  readonly #prefixes: WildcardList = new WildcardList();
  readonly #packed: PackedNames | null;

  /**
   * @param domains of each virtual host, by index; a domain without a port stands for any port
   * @param codes what a look-up gives for each, not negative (the index)
   */
  constructor(domains: readonly (readonly string[])[], codes?: readonly number[]) {
    domains.forEach((list, index) => {
      for (const domain of list) this.#add(domain.toLowerCase(), codes?.[index] ?? index);
    });
    this.#suffixes.sort();
    this.#prefixes.sort();
    // "*" and "*:80" are no names: what is more special goes before them.
    this.#packed = PackedNames.of([...this.#exact].filter(([name]) => !name.startsWith('*')));
  }

  /** As `find`, for a request. */
  findFor(head: HeadView): number {
    const packed = this.#packed;
    if (packed !== null && !head.authorityChanged && head.authorityEnd > head.authorityStart) {
      const known = packed.find(head.buf, head.authorityStart, head.authorityEnd);
      if (known >= 0) return known;
    }
    return this.find(head.authority);
  }

  /**
   * The code of the virtual host, or -1. An authority that stands in the configuration as it was sent costs one map
   * look-up (6 ns for a string that the codec keeps for the connection); others are remembered, within a bound.
   * @param authority as it stands in the request, "" when there is none
   */
  find(authority: string): number {
    const known = this.#exact.get(authority) ?? this.#remembered.get(authority);
    if (known !== undefined) return known;
    const host = this.#search(authority.toLowerCase());
    if (this.#remembered.size >= maxRemembered) this.#remembered.clear();
    if (authority.length <= maxRememberedLength) this.#remembered.set(authority, host);
    return host;
  }

  #search(text: string): number {
    const split = portStart(text);
    const port = text.slice(split);
    const host = text[split - 1] === '.' ? text.slice(0, split - 1) : text.slice(0, split);
    return (
      (port === '' ? undefined : this.#exact.get(host + port)) ??
      this.#exact.get(host) ??
      this.#suffixes.find(host, port, true) ??
      this.#prefixes.find(host, port, false) ??
      (port === '' ? undefined : this.#exact.get(`*${port}`)) ??
      this.#exact.get('*') ??
      -1
    );
  }

  #add(domain: string, code: number): void {
    const split = portStart(domain);
    const host = domain.slice(0, split);
    if (host !== '*' && host.startsWith('*')) this.#suffixes.add(host.slice(1), domain.slice(split), code);
    else if (host !== '*' && host.endsWith('*')) {
      this.#prefixes.add(host.slice(0, -1), domain.slice(split), code);
    } else if (!this.#exact.has(domain)) this.#exact.set(domain, code);
  }
}

/** Wildcards of one side, grouped by length: one map look-up a length, however many there are. */
class WildcardList {
  readonly #byLength: Map<number, Map<string, number>> = new Map();
  #lengths: number[] = [];

  /** @param part the text beside the star @param port ":8080" or "" */
  add(part: string, port: string, index: number): void {
    let group = this.#byLength.get(part.length);
    if (group === undefined) {
      group = new Map();
      this.#byLength.set(part.length, group);
    }
    if (!group.has(part + port)) group.set(part + port, index);
  }

  sort(): void {
    this.#lengths = [...this.#byLength.keys()].sort((a, b) => b - a);
  }

  find(host: string, port: string, isSuffix: boolean): number | undefined {
    for (const length of this.#lengths) {
      // The star stands for at least one character.
      if (length >= host.length) continue;
      const part = isSuffix ? host.slice(host.length - length) : host.slice(0, length);
      const group = this.#byLength.get(length) as Map<string, number>;
      const found = (port === '' ? undefined : group.get(part + port)) ?? group.get(part);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** Where ":port" begins; the length of the text when there is none. IPv6 addresses stand in brackets. */
function portStart(text: string): number {
  const colon = text.lastIndexOf(':');
  return colon < 0 || text.endsWith(']') ? text.length : colon;
}
