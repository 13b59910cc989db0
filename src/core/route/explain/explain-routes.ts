import { SeededRandom } from '../../base/random.ts';
import type { RouteConfig, RouteMatchConfig, VirtualHostConfig } from '../../contract/config.ts';
import type { Stream } from '../../contract/stream.ts';
import type { RouteContext } from '../compile-route.ts';
import { HostTable } from '../host-table.ts';
import { compileRouter } from '../router.ts';
import { matchParts } from './match-parts.ts';

/** Why a virtual host got the request or not. */
interface HostVerdict {
  readonly name: string;
  readonly domains: readonly string[];
  readonly isChosen: boolean;
  /** One sentence. */
  readonly why: string;
}

/** Why a route got the request or not. */
interface RouteVerdict {
  readonly name: string;
  readonly index: number;
  readonly isChosen: boolean;
  /** One sentence a reason; of the chosen one the conditions that hold. */
  readonly why: readonly string[];
}

export interface RoutesExplanation {
  readonly virtualHosts: readonly HostVerdict[];
  /** Position of the virtual host; -1: none. */
  readonly host: number;
  /** Routes of that virtual host in configured order, `maxRoutes` of them at most. */
  readonly routes: readonly RouteVerdict[];
  /** Position of the route in its virtual host; -1: none. */
  readonly route: number;
  /** Routes that are not listed. */
  readonly leftOut: number;
}

/**
 * Tells which virtual host and route a request meets and why not the others. Each condition is put to the real router
 * in a route of its own, so nothing is decided a second way here; that the whole agrees with the router is a property
 * test.
 *
 * @param maxRoutes routes told; those before the chosen one that are nearest to it come first
 */
export function explainRoutes(
  virtualHosts: readonly VirtualHostConfig[],
  s: Stream,
  maxRoutes = 100,
): RoutesExplanation {
  const host = new HostTable(virtualHosts.map((each) => each.domains)).find(s.req.authority);
  const hosts = virtualHosts.map((each, index) => hostVerdict(each, index === host, s));
  const chosenHost = virtualHosts[host];
  if (chosenHost === undefined) return { virtualHosts: hosts, host, routes: [], route: -1, leftOut: 0 };
  const { routes } = chosenHost;
  const route = routes.findIndex((each) => holds(each.match, s));
  const first =
    route < 0 ? 0 : Math.max(0, Math.min(route - Math.floor(maxRoutes / 2), routes.length - maxRoutes));
  const told = routes.slice(first, first + maxRoutes);
  const verdicts = told.map((each, offset) => routeVerdict(each, first + offset, route, chosenHost, s));
  return { virtualHosts: hosts, host, routes: verdicts, route, leftOut: routes.length - told.length };
}

/** Whether a route with these conditions alone would get the request. */
function holds(match: RouteMatchConfig, s: Stream): boolean {
  return compileRouter([lone(match)], bareContext()).match(s) !== null;
}

const noEdits = {
  requestHeaders: [],
  removeRequestHeaders: [],
  responseHeaders: [],
  removeResponseHeaders: [],
};

/** A virtual host for everything with one route. */
function lone(match: RouteMatchConfig): VirtualHostConfig {
  const route: RouteConfig = {
    ...noEdits,
    match,
    directResponse: { status: 200, body: '' },
    timeoutMs: 0,
    upgrades: [],
    filterConfigs: {},
    metadata: {},
    metadataMatch: {},
    hashPolicies: [],
    mirrors: [],
  };
  return { ...noEdits, name: 'lone', domains: ['*'], filterConfigs: {}, routes: [route] };
}

function bareContext(): RouteContext {
  return {
    clusterRef: (name) => ({ name, current: null }),
    compileValue: () => () => '',
    filterSlots: new Map(),
    random: new SeededRandom(1),
    edits: noEdits,
    onExpressionError: () => {},
  };
}

function hostVerdict(host: VirtualHostConfig, isChosen: boolean, s: Stream): HostVerdict {
  const { name, domains } = host;
  const authority = JSON.stringify(s.req.authority);
  const matching = domains.filter((domain) => new HostTable([[domain]]).find(s.req.authority) >= 0);
  const told = { name, domains, isChosen };
  if (isChosen) return { ...told, why: `${authority} matches its domain ${matching.join(', ')}` };
  if (matching.length === 0) return { ...told, why: `${authority} matches none of its domains` };
  const why = `${authority} matches ${matching.join(', ')}, but another virtual host has a more specific domain`;
  return { ...told, why };
}

function routeVerdict(
  route: RouteConfig,
  index: number,
  chosen: number,
  host: VirtualHostConfig,
  s: Stream,
): RouteVerdict {
  const parts = matchParts(route.match, s);
  const name = route.name ?? `${host.name}#${index}`;
  const failing = parts.filter((each) => !holds(each.match, s));
  const isChosen = index === chosen;
  if (isChosen) return { name, index, isChosen, why: parts.map((each) => each.wants) };
  if (failing.length > 0) return { name, index, isChosen, why: failing.map(refusal) };
  const winner = host.routes[chosen]?.name ?? `${host.name}#${chosen}`;
  return { name, index, isChosen, why: [`all conditions hold, but ${winner} comes first`] };
}

function refusal({ wants, has, kind }: { wants: string; has: string | null; kind: string }): string {
  if (kind === 'expression') return `not so: ${wants}`;
  return `${wants}: the request has ${has === null ? 'none' : JSON.stringify(has)}`;
}
