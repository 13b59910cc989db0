import test from 'ava';
import type { Endpoint } from '../../../src/core/contract/cluster.ts';
import { fileRegistry } from '../../../src/core/discovery/index.ts';
import { registryContractSuite } from '../../../src/testing/suites/registry-contract-suite.ts';
import { settle, testContext } from './support.ts';

registryContractSuite(test, 'file', () => {
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
  };
});
