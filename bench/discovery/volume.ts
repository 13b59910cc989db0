/** What 20 interfaces of an application with 100 instances cost on a registry's wire, at each level. */

import { SeededRandom } from '../../src/core/base/random.ts';
import type { RegistryContext } from '../../src/core/contract/registry.ts';
import type { ServiceInstance, ServiceMetadata } from '../../src/core/contract/service-source.ts';
import { instanceKeys, instanceOf } from '../../src/core/discovery/dubbo/instance.ts';
import { matchKeyOf } from '../../src/core/discovery/dubbo/metadata-info.ts';
import { formatProviderUrl } from '../../src/core/discovery/dubbo/provider-url.ts';
import type { FrameworkConfig } from '../../src/core/discovery/framework/framework-config.ts';
import { FrameworkRegistry } from '../../src/core/discovery/framework/framework-registry.ts';
import { MetricsTable } from '../../src/core/observe/metrics.ts';
import { MemorySources } from '../../src/testing/memory-sources.ts';
import { SystemClock } from '../../src/transport/index.ts';
import { silent } from '../harness/lists.ts';

const interfaces = 20;
const instances = 100;
const application = 'order-center';
const nameOf = (i: number): string => `com.example.trade.order.api.OrderService${i}`;
/** As Dubbo 3.2 writes them for five methods. */
const parameters = {
  dubbo: '2.0.2',
  release: '3.2.14',
  side: 'provider',
  anyhost: 'true',
  deprecated: 'false',
  dynamic: 'true',
  generic: 'false',
  methods: 'createOrder,cancelOrder,queryOrder,listOrders,confirmOrder',
  'prefer.serialization': 'fastjson2,hessian2',
  'service-name-mapping': 'true',
  background: 'false',
  revision: '1.4.2',
  version: '1.0.0',
  timeout: '3000',
  retries: '0',
};

export interface LevelCost {
  readonly bytes: number;
  readonly subscriptions: number;
  readonly hosts: number;
}

/** Everybody subscribes, then every instance is restarted once, one after the other. */
export async function costOf(step: 'FORCE_INTERFACE' | 'FORCE_APPLICATION'): Promise<LevelCost> {
  const sources = new MemorySources();
  for (let i = 0; i < instances; i++) start(sources, i, 0);
  const registry = new FrameworkRegistry('bench', sources, configOf(step), context());
  const hosts = new Set<string>();
  let lists = 0;
  for (let s = 0; s < interfaces; s++) {
    registry.subscribe(`${nameOf(s)}:1.0.0`, ({ added }) => {
      lists++;
      for (const { address } of added) hosts.add(address);
    });
  }
  await turn();
  for (let i = 0; i < instances; i++) {
    stop(sources, i, 0);
    start(sources, i, 1);
  }
  await turn();
  const subscriptions = sources.watches();
  const bytes = sources.sentBytes;
  await registry.close();
  if (lists < interfaces || hosts.size !== instances) {
    throw new Error(`${step}: ${lists} lists with ${hosts.size} hosts, not ${interfaces} with ${instances}`);
  }
  return { bytes, subscriptions, hosts: hosts.size };
}

function start(sources: MemorySources, i: number, restart: number): void {
  const instance = instanceAt(i, restart);
  if (i === 0 && restart === 0) {
    sources.putMetadata({ application, revision: 'r1', services: services() });
    for (let s = 0; s < interfaces; s++) sources.put('mapping', nameOf(s), application, application);
  }
  sources.putInstance(instance);
  for (let s = 0; s < interfaces; s++) {
    const url = urlOf(i, s, restart);
    sources.put('interfaces', nameOf(s), url, url);
  }
}

function stop(sources: MemorySources, i: number, restart: number): void {
  sources.remove('instances', application, instanceAt(i, restart).address);
  for (let s = 0; s < interfaces; s++) sources.remove('interfaces', nameOf(s), urlOf(i, s, restart));
}

function urlOf(i: number, s: number, restart: number): string {
  const own = { pid: String(1000 + i), timestamp: String(1_700_000_000_000 + i * 1000 + restart) };
  const all = { ...parameters, ...own, application, interface: nameOf(s) };
  return formatProviderUrl({
    protocol: 'dubbo',
    username: '',
    password: '',
    host: hostOf(i),
    port: 20880,
    path: nameOf(s),
    parameters: new Map(Object.entries(all)),
  });
}

function instanceAt(i: number, restart: number): ServiceInstance {
  return instanceOf(application, hostOf(i), 20880, {
    [instanceKeys.endpoints]: '[{"port":20880,"protocol":"dubbo"}]',
    [instanceKeys.revision]: 'r1',
    [instanceKeys.storageType]: 'remote',
    timestamp: String(1_700_000_000_000 + i * 1000 + restart),
  });
}

function services(): Map<string, ServiceMetadata> {
  const all = Array.from({ length: interfaces }, (_, s): ServiceMetadata => {
    const name = nameOf(s);
    const own = { ...parameters, interface: name };
    return { name, group: '', version: '1.0.0', protocol: 'dubbo', port: 20880, path: name, parameters: own };
  });
  return new Map(all.map((service) => [matchKeyOf(service), service]));
}

const hostOf = (i: number): string => `10.0.${i >> 8}.${i & 255}`;

function configOf(step: 'FORCE_INTERFACE' | 'FORCE_APPLICATION'): FrameworkConfig {
  return {
    dialect: 'dubbo',
    application: '',
    providedBy: {},
    migration: { step, threshold: 0, proportion: 100, delayMs: 0, force: false, services: {} },
    publishAs: 'both',
    allowEmpty: false,
  };
}

/** What these sources need of a context; they open nothing. */
function context(): RegistryContext {
  return {
    clock: new SystemClock(),
    random: new SeededRandom(1),
    logger: silent,
    metrics: new MetricsTable(),
  } as unknown as RegistryContext;
}

/** Lets what was told be applied. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
