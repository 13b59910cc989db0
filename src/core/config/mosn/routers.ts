import type { MosnContext } from './context.ts';
import { filterConfigsOf } from './filter-configs.ts';
import { folderSections } from './folders.ts';
import { editKeys, headerEdits } from './header-edits.ts';
import { type RouteOwner, type RoutePart, routeKeys, routesOf } from './routes.ts';
import type { Keys, Section } from './section.ts';

type RouterKey = 'router_config_name' | 'virtual_hosts' | 'router_configs' | (typeof editKeys)[number];
type HostKey = 'name' | 'domains' | 'routers' | 'per_filter_config' | (typeof editKeys)[number];

export const routerKeys: Keys<RouterKey> = {
  read: ['router_config_name', 'virtual_hosts', 'router_configs', ...editKeys],
};
const hostKeys: Keys<HostKey> = {
  read: ['name', 'domains', 'routers', 'per_filter_config', ...editKeys],
  ineffective: { require_tls: 'MOSN does not use it, requests without TLS pass' },
};

/** A native virtual host, as far as others look into it. */
export interface VirtualHostPart {
  readonly routes: readonly RoutePart[];
}

/** What a virtual host without routes answers. */
const nothing = { match: {}, directResponse: { status: 404 } };

/** A `routers` entry. */
export type RouterSection = Section<RouterKey>;

/** Virtual hosts and header edits of a router configuration, for one listener. */
export function routerParts(
  context: MosnContext,
  router: RouterSection,
  owner: RouteOwner,
): { readonly virtualHosts: readonly VirtualHostPart[] } {
  const inline = router.sections('virtual_hosts', hostKeys);
  const folder = router.text('router_configs');
  if (folder !== '' && inline.length > 0) {
    router.report.problem(router.at('router_configs'), folder, 'one of virtual_hosts and router_configs');
  }
  const hosts =
    folder === '' ? inline : folderSections(context, router.at('router_configs'), folder, hostKeys);
  return {
    virtualHosts: hosts.map((host, index) => virtualHost(context, host, index, owner)),
    ...headerEdits(context, router),
  };
}

function virtualHost(
  context: MosnContext,
  host: Section<HostKey>,
  index: number,
  owner: RouteOwner,
): VirtualHostPart {
  const made = {
    name: host.text('name') || `virtual-host-${index}`,
    domains: host.texts('domains').map(domainOf),
    routes: host.has('routers')
      ? host.sections('routers', routeKeys).flatMap((route) => routesOf(context, route, owner))
      : [nothing],
    ...filterConfigsOf(context, host, owner),
    ...headerEdits(context, host),
  };
  const keys = {
    name: host.at('name'),
    domains: host.at('domains'),
    routes: host.at('routers'),
    filterConfigs: host.at('per_filter_config'),
    requestHeaders: host.at('request_headers_to_add'),
    responseHeaders: host.at('response_headers_to_add'),
  };
  return context.origins.mark(made, host, keys);
}

/** Any port is what a native domain without one means. */
function domainOf(domain: string): string {
  return domain.endsWith(':*') ? domain.slice(0, -2) : domain;
}
