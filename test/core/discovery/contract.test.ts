import test from 'ava';
import type { Endpoint } from '../../../src/core/contract/cluster.ts';
import type { Published } from '../../../src/core/contract/registry.ts';
import type { ServiceInstance } from '../../../src/core/contract/service-source.ts';
import { fileRegistry } from '../../../src/core/discovery/index.ts';
import { memoryRegistry } from '../../../src/core/discovery/local/memory-registry.ts';
import {
  type RegistryFixture,
  registryContractSuite,
} from '../../../src/testing/suites/registry-contract-suite.ts';
import { metadata, setUp } from './framework/support.ts';
import { settle, testContext } from './support.ts';

const openFile = (): RegistryFixture => {
  const context = testContext();
  const path = '/services.json';
  const services: Record<string, readonly Endpoint[]> = {};
  context.files.put(path, '{"services":{}}');
  return {
    registry: fileRegistry.create({ path, allowEmpty: false }, context),
    publish: (service, endpoints) => {
      services[service] = endpoints;
      context.files.put(path, JSON.stringify({ services }));
    },
    settle: async () => {
      await settle();
      context.clock.advance(1000);
      await settle();
    },
    close: () => {},
    garble: () => context.files.put(path, '{"services":{"users":[3]}}'),
    duplicate: (service, endpoints) => {
      services[service] = [...endpoints.map((each) => ({ ...each, weight: 9 })), ...endpoints];
      context.files.put(path, JSON.stringify({ services }));
    },
    open: () => context.files.watching(path) + context.clock.pendingTimers,
  };
};

registryContractSuite(test, 'file', openFile, ['garble', 'duplicate', 'open']);

const openMemory = (): RegistryFixture => {
  const context = testContext();
  const registry = memoryRegistry.create({}, context);
  const said = new Map<string, Map<string, Published>>();
  return {
    registry,
    publish: async (service, endpoints) => {
      const before = said.get(service) ?? new Map<string, Published>();
      const now = new Map<string, Published>();
      for (const endpoint of endpoints) {
        const published = registry.publish?.({ service, endpoint });
        if (published !== undefined) now.set(endpoint.address, published);
      }
      for (const [address, published] of before) if (!now.has(address)) await published.withdraw();
      said.set(service, now);
    },
    settle: async () => {
      await settle();
      context.clock.advance(1000);
      await settle();
    },
    close: () => {},
    takesEmpty: true,
    open: () => context.clock.pendingTimers,
  };
};

registryContractSuite(test, 'memory', openMemory, ['open', 'publish']);

/** A framework's registry whose lists lie at one level; what the suite calls a service is an interface of one application. */
function frameworkFixture(step: 'FORCE_INTERFACE' | 'FORCE_APPLICATION'): () => RegistryFixture {
  return () => {
    const setup = setUp({ application: 'shop', migration: { step } });
    const { sources, registry, clock } = setup;
    const urlOf = (service: string, { address, weight, zone, metadata: facts }: Endpoint): string => {
      const all = Object.entries({ interface: service, weight: String(weight), zone, ...facts });
      return `dubbo://${address}/${service}?${all.map(([key, value]) => `${key}=${value}`).join('&')}`;
    };
    const putAtInterfaces = (service: string, endpoints: readonly Endpoint[]): void =>
      sources.replace(
        'interfaces',
        service,
        new Map(endpoints.map((each) => [urlOf(service, each), urlOf(service, each)])),
      );
    /** Each service is an application of its own here, so that its list can be replaced. */
    const putAsInstances = (service: string, endpoints: readonly Endpoint[]): void => {
      const application = `app-${service}`;
      sources.put('mapping', service, application, application);
      const instances = endpoints.map(({ address, weight, zone, metadata: facts }): ServiceInstance => {
        const revision = JSON.stringify(facts);
        sources.putMetadata({
          ...metadata(revision, { name: service, parameters: facts }),
          application,
        });
        return { application, address, revision, metadata: { weight: String(weight), zone } };
      });
      sources.replace('instances', application, new Map(instances.map((each) => [each.address, each])));
    };
    const put = step === 'FORCE_INTERFACE' ? putAtInterfaces : putAsInstances;
    return {
      registry,
      publish: put,
      settle: () => setup.pass(31_000),
      close: () => {},
      outage: { begin: () => sources.cutOff('session expired'), end: () => sources.reconnect() },
      duplicate: (service, endpoints) => {
        if (step === 'FORCE_INTERFACE') {
          put(service, [...endpoints.map((each) => ({ ...each, weight: 9 })), ...endpoints]);
        } else put(service, endpoints);
      },
      isListed: (service, address) =>
        step === 'FORCE_INTERFACE'
          ? sources.list('interfaces', service).some((each) => String(each).includes(address))
          : sources.list('instances', 'shop').some((each) => (each as ServiceInstance).address === address),
      garble: (service) => sources.put('interfaces', service, 'garbage', 'dubbo://'),
      open: () => sources.listeners + clock.pendingTimers,
    };
  };
}

const ofFramework = ['outage', 'duplicate', 'isListed', 'open', 'publish'] as const;
registryContractSuite(test, 'framework at the interface level', frameworkFixture('FORCE_INTERFACE'), [
  ...ofFramework,
  'garble',
]);
registryContractSuite(
  test,
  'framework at the application level',
  frameworkFixture('FORCE_APPLICATION'),
  ofFramework,
);
