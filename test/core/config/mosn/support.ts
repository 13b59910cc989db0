import { type LoadOptions, type LoadResult, loadConfigText } from '../../../../src/core/config/load.ts';
import type { EffectiveConfig } from '../../../../src/core/contract/config.ts';
import { checkValue } from '../../../../src/core/observe/access-log/compile-value.ts';
import { standard } from '../../../../src/standard.ts';

/** A MOSN configuration with one HTTP/1 listener; parts are put in or over. */
export interface Parts {
  readonly root?: object;
  readonly server?: object;
  readonly listener?: object;
  readonly chain?: object;
  readonly proxy?: object;
  readonly router?: object;
  readonly host?: object;
  readonly route?: object;
  readonly cluster?: object;
}

export function mosn(parts: Parts = {}): Record<string, unknown> {
  const route = { match: { prefix: '/' }, route: { cluster_name: 'up' }, ...parts.route };
  const host = { name: 'all', domains: ['*'], routers: [route], ...parts.host };
  const proxy = { downstream_protocol: 'Http1', router_config_name: 'main', ...parts.proxy };
  const chain = { filters: [{ type: 'proxy', config: proxy }], ...parts.chain };
  const listener = {
    name: 'in',
    address: '127.0.0.1:2045',
    bind_port: true,
    filter_chains: [chain],
    ...parts.listener,
  };
  const router = { router_config_name: 'main', virtual_hosts: [host], ...parts.router };
  const cluster = { name: 'up', type: 'SIMPLE', hosts: [{ address: '127.0.0.1:9001' }], ...parts.cluster };
  return {
    servers: [{ routers: [router], listeners: [listener], ...parts.server }],
    cluster_manager: { clusters: [cluster] },
    ...parts.root,
  };
}

export function load(config: object | string, options: LoadOptions = {}): LoadResult {
  const text = typeof config === 'string' ? config : JSON.stringify(config, null, 1);
  return loadConfigText(text, { path: 'mosn.json' }, standard, { checkValue, ...options });
}

/** The native configuration. @throws Error with every problem */
export function converted(config: object | string, options: LoadOptions = {}): EffectiveConfig {
  const { config: made, problems } = load(config, options);
  if (made === null)
    throw new Error(problems.map((each) => `${each.path}: ${each.read}: ${each.allowed}`).join('\n'));
  return made;
}

/** "path: read" of each problem. */
export const problemsOf = (config: object | string, options: LoadOptions = {}): string[] =>
  load(config, options).problems.map((each) => `${each.path}: ${each.read}`);

export const noticesOf = (config: object | string, options: LoadOptions = {}): string[] =>
  load(config, options).notices.map((each) => `${each.path}: ${each.reason}`);
