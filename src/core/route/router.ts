import type { VirtualHostConfig } from '../contract/config.ts';
import type { Router } from '../contract/pipeline.ts';
import type { Route } from '../contract/route.ts';
import type { Stream } from '../contract/stream.ts';
import { compileHost, compileRoute, type RouteContext } from './compile-route.ts';
import { compileEdits } from './header-operations.ts';
import { HostTable } from './host-table.ts';
import { RouteTable } from './route-table.ts';
import { RouterParts } from './router-parts.ts';
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
  const tables = virtualHosts.map((config, position) => {
    const host = compileHost(config, listener, context);
    const entries = config.routes.map((route, index) => compileRoute(route, index, host, context));
    return new RouteTable(entries, position, parts);
  });
  return new CompiledRouter(new HostTable(virtualHosts.map((host) => host.domains)), tables);
}

class CompiledRouter implements Router {
  readonly #hosts: HostTable;
  readonly #tables: readonly RouteTable[];
  /** Bytes of a path that the head holds as text. */
  #scratch: Buffer = Buffer.alloc(256);

  constructor(hosts: HostTable, tables: readonly RouteTable[]) {
    this.#hosts = hosts;
    this.#tables = tables;
  }

  match(s: Stream): Route | null {
    const head = s.req;
    const host = this.#hosts.find(head.authority);
    if (host < 0) return null;
    const table = this.#tables[host] as RouteTable;
    if (!head.pathChanged && head.pathEnd > head.pathStart) {
      return table.match(head.buf, head.pathStart, head.pathEnd, s);
    }
    if (head.pathBytes !== null && !head.pathChanged) {
      return table.match(head.pathBytes, 0, head.pathBytes.length, s);
    }
    const path = head.path;
    if (path.length > this.#scratch.length) this.#scratch = Buffer.alloc(path.length * 2);
    textToBytes(path, this.#scratch);
    return table.match(this.#scratch, 0, path.length, s);
  }
}
