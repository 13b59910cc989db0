import type { HeadView } from '../base/head-view.ts';
import type { VirtualHostConfig } from '../contract/config.ts';
import type { Router } from '../contract/pipeline.ts';
import type { Route } from '../contract/route.ts';
import type { Stream } from '../contract/stream.ts';
import { compileHost, compileRoute, type RouteContext } from './compile-route.ts';
import { compileEdits } from './header-operations.ts';
import { HostTable } from './host-table.ts';
import { notCached, RouteCache } from './route-cache.ts';
import { RouteTable } from './route-table.ts';
import { SharedTries } from './shared-tries.ts';
import { textToBytes } from './text-bytes.ts';

/**
 * Compiles the virtual hosts of a pipeline. Matching finds the virtual host of the authority, then the first of its
 * routes, in configured order, whose conditions all hold. The path is expected in normal form (normalize-path.ts).
 * @param virtualHosts checked: domains unique, references known
 * @throws HeddleError ERR_PATTERN_INVALID, ERR_HEADER_INVALID for what `checkConfig` would have refused
 */
export function compileRouter(virtualHosts: readonly VirtualHostConfig[], context: RouteContext): Router {
  const listener = compileEdits(context.edits, context.compileValue);
  const tries = new SharedTries();
  const tables = virtualHosts.map((config) => {
    const host = compileHost(config, listener, context);
    const routes = config.routes.map((route, index) => compileRoute(route, index, host, context));
    return new RouteTable(config.routes, routes, tries);
  });
  return new CompiledRouter(new HostTable(virtualHosts.map((host) => host.domains)), tables);
}

class CompiledRouter implements Router {
  readonly #hosts: HostTable;
  readonly #tables: readonly RouteTable[];
  /** Only patterns are dearer than the cache: the trie alone costs as much as one look-up in it. */
  readonly #cache: RouteCache | null;
  /** Path and method as bytes for heads that hold them as text. */
  #scratch: Buffer = Buffer.alloc(256);

  constructor(hosts: HostTable, tables: readonly RouteTable[]) {
    this.#hosts = hosts;
    this.#tables = tables;
    this.#cache = tables.some((table) => table.hasRegex) ? new RouteCache() : null;
  }

  match(s: Stream): Route | null {
    const head = s.req;
    const host = this.#hosts.find(head.authority);
    if (host < 0) return null;
    const table = this.#tables[host] as RouteTable;
    if (head.pathChanged || head.pathEnd === head.pathStart) return this.#matchText(table, host, head);
    if (!table.hasRegex) return table.match(head.buf, head.pathStart, head.pathEnd, head);
    return this.#matchCached(table, host, head.buf, head.pathStart, head.pathEnd, head);
  }

  #matchText(table: RouteTable, host: number, head: HeadView): Route | null {
    const path = head.path;
    if (path.length > this.#scratch.length) this.#scratch = Buffer.alloc(path.length * 2);
    textToBytes(path, this.#scratch);
    if (!table.hasRegex) return table.match(this.#scratch, 0, path.length, head);
    return this.#matchCached(table, host, this.#scratch, 0, path.length, head);
  }

  #matchCached(
    table: RouteTable,
    host: number,
    buf: Buffer,
    start: number,
    end: number,
    head: HeadView,
  ): Route | null {
    const cache = this.#cache as RouteCache;
    const known = cache.find(host, buf, start, end, head);
    if (known !== notCached) return table.routeAt(known);
    const route = table.match(buf, start, end, head);
    if (table.isCacheable) cache.put(table.found);
    return route;
  }
}
