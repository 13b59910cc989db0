import test from 'ava';
import * as v from 'valibot';
import type { RegistryDefinition } from '../../../src/core/contract/registry.ts';
import { frameworkEntries } from '../../../src/core/discovery/framework/framework-config.ts';
import { FrameworkRegistry } from '../../../src/core/discovery/framework/framework-registry.ts';
import { createMesh } from '../../../src/mesh.ts';
import { MemorySources } from '../../../src/testing/memory-sources.ts';
import { MemoryLogger } from '../../core/cluster/support.ts';
import { eventually } from '../support.ts';

const schema = v.strictObject(frameworkEntries);
type Input = NonNullable<Parameters<typeof createMesh>[0]>;

test('a mesh publishes what its configuration says, follows a reload, and takes it back when it drains', async (t) => {
  const sources = new MemorySources();
  const definition: RegistryDefinition<v.InferOutput<typeof schema>> = {
    name: 'test',
    config: schema,
    create: (config, context) => new FrameworkRegistry('test', sources, config, context),
  };
  const registry = { name: 'test', config: { application: 'shop' } };
  const configOf = (...services: string[]): Input => ({
    node: { zone: 'east' },
    publications: services.map((service) => ({
      registry,
      service,
      address: '10.0.0.7:20880',
      metadata: { timeout: '500' },
    })),
  });
  const mesh = await createMesh(configOf('a.B', 'a.C'), {
    use: [{ registries: [definition as RegistryDefinition] }],
  });
  t.teardown(() => mesh.close());
  const urls = (service: string): string[] => sources.list('interfaces', service) as string[];
  await eventually(
    () => urls('a.C').length === 1 && sources.list('instances', 'shop').length === 1,
    'published',
  );
  const [before] = urls('a.B');
  t.regex(before ?? '', /^dubbo:\/\/10\.0\.0\.7:20880\/a\.B\?.*application=shop.*timeout=500.*zone=east/);
  t.true((await mesh.reload(configOf('a.B', 'a.D'))).applied);
  await eventually(() => urls('a.D').length === 1 && urls('a.C').length === 0, 'followed');
  t.deepEqual(urls('a.B'), [before], 'what stays is not published anew');
  await mesh.drain(1000);
  t.is(urls('a.B').length + urls('a.D').length + sources.list('instances', 'shop').length, 0);
});

test('what no registry takes is said in the log, and the mesh serves', async (t) => {
  const logger = new MemoryLogger();
  const mesh = await createMesh(
    {
      publications: [
        { registry: { name: 'static', config: {} }, service: 'users', address: '10.0.0.7:80' },
        { registry: 'memory', service: 'users', address: '10.0.0.7:80' },
      ],
      clusters: [{ name: 'users', discovery: { name: 'memory' } }],
    },
    { logger },
  );
  t.teardown(() => mesh.close());
  const [line, ...more] = logger.lines.filter(({ level }) => level === 'error');
  t.is(line?.message, 'not published');
  t.regex(String(line?.fields['reason']), /ERR_REGISTRY_PUBLISH.*only lists/);
  t.is(more.length, 0);
  await eventually(() => mesh.clusters.get('users')?.hostSet.all.length === 1, 'the host');
});

test('a publication that cannot be right is a problem of the configuration', async (t) => {
  const problemOf = async (publication: object): Promise<string> => {
    const error = await t.throwsAsync(createMesh({ publications: [publication] } as Input), {
      code: 'ERR_CONFIG_INVALID',
    });
    return String(error);
  };
  t.regex(await problemOf({ registry: 'memry', service: 'users', address: '10.0.0.7:80' }), /memory/);
  t.regex(await problemOf({ registry: 'memory', service: 'users', address: '10.0.0.7:0' }), /address/);
  t.regex(await problemOf({ registry: 'memory', address: '10.0.0.7:80' }), /service/);
});
