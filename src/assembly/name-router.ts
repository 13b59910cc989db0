import type { Router } from '../core/contract/pipeline.ts';
import type { ClusterRef, Route } from '../core/contract/route.ts';
import type { Stream } from '../core/contract/stream.ts';
import { makeRoute } from '../core/route/make-route.ts';

/** Names come from callers, so the table of routes that were asked for is bounded. */
const maxRoutes = 10_000;

/** In-process calls without virtual hosts: the authority, less its port, is the cluster's name. */
export class NameRouter implements Router {
  readonly #ref: (cluster: string) => ClusterRef;
  readonly #exists: (cluster: string) => boolean;
  readonly #routes = new Map<string, Route>();

  constructor(ref: (cluster: string) => ClusterRef, exists: (cluster: string) => boolean) {
    this.#ref = ref;
    this.#exists = exists;
  }

  match(s: Stream): Route {
    const authority = s.req.authority;
    return this.#routes.get(authority) ?? this.#add(authority);
  }

  #add(authority: string): Route {
    const name = this.#exists(authority) ? authority : authority.replace(/:\d+$/, '');
    // Not remembered: it may exist tomorrow, and names come from callers. The stream ends with `no_cluster`.
    if (!this.#exists(name)) return clusterRoute({ name, current: null });
    const route = this.#routes.get(name) ?? clusterRoute(this.#ref(name));
    if (this.#routes.size < maxRoutes) this.#routes.set(authority, route);
    return route;
  }
}

function clusterRoute(cluster: ClusterRef): Route {
  return makeRoute({
    name: cluster.name,
    virtualHost: cluster.name,
    action: { kind: 'forward', cluster },
  });
}
