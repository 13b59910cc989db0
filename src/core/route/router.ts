import type { VirtualHostConfig } from '../contract/config.ts';
import type { Router } from '../contract/pipeline.ts';
import type { Route } from '../contract/route.ts';
import type { Stream } from '../contract/stream.ts';
import { compileHost, compileRoute, type RouteContext } from './compile-route.ts';
import { compileEdits } from './header-operations.ts';
import { HostTable } from './host-table.ts';
import { dependsOnHeadOnly, dependsOnNameOnly } from './name-only.ts';
import { noRoute, type RouteTable } from './route-table.ts';
import { RouterParts } from './router-parts.ts';
import { SharedConditions } from './shared-conditions.ts';
import { textToBytes } from './text-bytes.ts';

/**
 * Compiles the virtual hosts of a pipeline. Matching finds the virtual host of the authority, then the first of its
 * routes, in configured order, whose conditions all hold. The path is expected in normal form (normalize-path.ts).
 * @param virtualHosts checked: domains unique, references known
 * @throws HeddleError ERR_PATTERN_INVALID, ERR_EXPRESSION_INVALID, ERR_HEADER_INVALID, ERR_PEER_MISSING for what `checkConfig` would have refused
 */
export function compileRouter(virtualHosts: readonly VirtualHostConfig[], context: RouteContext): Router {
  const listener = compileEdits(context.edits, context.compileValue);
  const parts = new RouterParts();
  const shared = new SharedConditions();
  const routes: Route[] = [];
  const places = virtualHosts.map((config): HostPlace => {
    const host = compileHost(config, listener, context);
    const entries = config.routes.map((route, index) => compileRoute(route, index, host, context, shared));
    const first = routes.length;
    for (const entry of entries) routes.push(entry.route);
    return { table: parts.table(entries), first };
  });
  const domains = virtualHosts.map((host) => host.domains);
  const isByHead = dependsOnHeadOnly(virtualHosts);
  return new CompiledRouter(domains, places, parts.tables, routes, dependsOnNameOnly(virtualHosts), isByHead);
}

interface HostPlace {
  readonly table: number;
  /** Where its routes begin among those of all hosts. */
  readonly first: number;
}

class CompiledRouter implements Router {
  readonly isByHead: boolean;
  readonly #hosts: HostTable;
  readonly #tables: readonly RouteTable[];
  /** Bits of a code that say the table; the rest is the first route. So a look-up reads nothing more about its host. */
  readonly #tableBits: number;
  /** Table and first route by code, where the two do not fit into one. */
  readonly #places: Int32Array | null;
  readonly #routes: readonly Route[];
  readonly #isByName: boolean;
  /** Bytes of a path that the head holds as text. */
  #scratch: Buffer = Buffer.alloc(256);

  constructor(
    domains: readonly (readonly string[])[],
    places: readonly HostPlace[],
    tables: readonly RouteTable[],
    routes: readonly Route[],
    isByName: boolean,
    isByHead: boolean,
  ) {
    this.isByHead = isByHead;
    this.#isByName = isByName;
    const bits = Math.ceil(Math.log2(Math.max(1, tables.length)));
    const fits = routes.length * 2 ** bits < 2 ** 31;
    this.#tableBits = bits;
    this.#places = fits ? null : Int32Array.from(places.flatMap(({ table, first }) => [table, first]));
    const codes = places.map(({ table, first }, index) => (fits ? (first << bits) | table : index));
    this.#hosts = new HostTable(domains, codes);
    this.#tables = tables;
    this.#routes = routes;
  }

  match(s: Stream): Route | null {
    const head = s.req;
    const name = head.rpcName;
    if (name === null || !this.#isByName || head.isEdited) return this.#match(s);
    // A rewrite or a caller may have set others.
    if (head.pathText !== name.path || head.authorityText !== name.service) return this.#match(s);
    if (name.router === this) return name.route as Route | null;
    const route = this.#match(s);
    name.router = this;
    name.route = route;
    return route;
  }

  #match(s: Stream): Route | null {
    const head = s.req;
    const code = this.#hosts.findFor(head);
    if (code < 0) return null;
    const places = this.#places;
    const bits = this.#tableBits;
    const first = places === null ? code >> bits : (places[code * 2 + 1] as number);
    const tableNumber = places === null ? code & ((1 << bits) - 1) : (places[code * 2] as number);
    const table = this.#tables[tableNumber] as RouteTable;
    let position: number;
    if (!head.pathChanged && head.pathEnd > head.pathStart) {
      position = table.match(head.buf, head.pathStart, head.pathEnd, s);
    } else {
      const path = head.path;
      if (path.length > this.#scratch.length) this.#scratch = Buffer.alloc(path.length * 2);
      textToBytes(path, this.#scratch);
      position = table.match(this.#scratch, 0, path.length, s);
    }
    return position === noRoute ? null : (this.#routes[first + position] as Route);
  }
}
