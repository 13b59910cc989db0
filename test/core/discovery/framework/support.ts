import * as v from 'valibot';
import type {
  ApplicationMetadata,
  ServiceInstance,
  ServiceMetadata,
} from '../../../../src/core/contract/service-source.ts';
import { instanceKeys, instanceOf } from '../../../../src/core/discovery/dubbo/instance.ts';
import { matchKeyOf } from '../../../../src/core/discovery/dubbo/metadata-info.ts';
import {
  type FrameworkConfig,
  frameworkEntries,
} from '../../../../src/core/discovery/framework/framework-config.ts';
import { FrameworkRegistry } from '../../../../src/core/discovery/framework/framework-registry.ts';
import { MemorySources } from '../../../../src/testing/memory-sources.ts';
import { settle, type TestContext, testContext } from '../support.ts';

export interface Setup extends TestContext {
  readonly sources: MemorySources;
  readonly registry: FrameworkRegistry;
  /** Lets promises settle and the debounce run. */
  pass(ms?: number): Promise<void>;
}

function configOf(given: v.InferInput<typeof schema> = {}): FrameworkConfig {
  return v.parse(schema, given);
}
const schema = v.strictObject(frameworkEntries);

export function setUp(
  given: v.InferInput<typeof schema> = {},
  change: (sources: MemorySources) => ConstructorParameters<typeof FrameworkRegistry>[1] = (sources) =>
    sources,
): Setup {
  const context = testContext();
  const sources = new MemorySources();
  const registry = new FrameworkRegistry('test', change(sources), configOf(given), context);
  const pass = async (ms = 1000): Promise<void> => {
    await settle();
    context.clock.advance(ms);
    await settle();
  };
  return { ...context, sources, registry, pass };
}

export function instance(
  host: string,
  revision: string,
  facts: Record<string, string> = {},
): ServiceInstance {
  return instanceOf('shop', host, 20880, {
    [instanceKeys.endpoints]: '[{"port":20880,"protocol":"dubbo"},{"port":50051,"protocol":"tri"}]',
    [instanceKeys.revision]: revision,
    timestamp: `${Math.random()}`,
    ...facts,
  });
}

export function metadata(
  revision: string,
  ...names: (string | Partial<ServiceMetadata>)[]
): ApplicationMetadata {
  const services = names.map((given): ServiceMetadata => {
    const plain = { name: '', group: '', version: '', protocol: 'dubbo', port: 0, path: '', parameters: {} };
    return typeof given === 'string' ? { ...plain, name: given } : { ...plain, ...given };
  });
  return {
    application: 'shop',
    revision,
    services: new Map(services.map((service) => [matchKeyOf(service), service])),
  };
}

export function url(host: string, facts = ''): string {
  return `dubbo://${host}:20880/a.B?interface=a.B${facts}`;
}
