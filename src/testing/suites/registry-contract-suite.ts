import { endpoint, type RegistryFixture, Subscriber } from './registry/fixture.ts';
import { publishingSuite } from './registry/publishing-suite.ts';
import { troubleSuite } from './registry/trouble-suite.ts';
import type { SuiteAssertions, SuiteTest } from './suite-test.ts';

export { endpoint, type RegistryFixture };

type Run = (t: SuiteAssertions, fixture: RegistryFixture) => Promise<void>;
/** @param needs what the registry must be able to do; it is not tested otherwise */
export type Check = (title: string, run: Run, ...needs: Ability[]) => unknown;
/** What not every registry can do; the fixture has the member of that name. `publish`: the registry takes publications. */
export type Ability = 'outage' | 'garble' | 'duplicate' | 'isListed' | 'open' | 'publish';

const a = endpoint('10.0.0.1:80');
const b = endpoint('10.0.0.2:80', { weight: 3, metadata: { build: '2' }, zone: 'east' });
const c = endpoint('10.0.0.3:80');

/**
 * What every registry keeps: lists as deltas, troubles that empty nothing, publications that last as long as they should.
 *
 * @param open a fresh one that knows no service
 * @param abilities what it can do beyond listing; the rest is not tested
 */
export function registryContractSuite(
  test: SuiteTest,
  name: string,
  open: () => RegistryFixture | Promise<RegistryFixture>,
  abilities: readonly Ability[] = [],
): void {
  const check: Check = (title, run, ...needs) => {
    if (!needs.every((need) => abilities.includes(need))) return;
    test(`${name}: ${title}`, async (t) => {
      const fixture = await open();
      try {
        await run(t, fixture);
      } finally {
        await fixture.registry.close();
        await fixture.close();
      }
    });
  };
  listSuite(check);
  troubleSuite(check);
  publishingSuite(check);
}

function listSuite(check: Check): void {
  check(
    'the first delta is full, with every fact of the endpoints',
    async (t, { registry, publish, settle }) => {
      await publish('users', [a, b]);
      const subscriber = new Subscriber();
      registry.subscribe('users', subscriber.take);
      await settle();
      t.true(subscriber.deltas[0]?.full);
      t.deepEqual(subscriber.addresses, [a.address, b.address]);
      const found = subscriber.known.get(b.address);
      t.is(found?.weight, b.weight);
      t.is(found?.zone, b.zone);
      t.is(found?.priority, b.priority);
      t.is(found?.metadata['build'], '2');
    },
  );

  check(
    'changes lead to the list at the source, versions grow, no delta contradicts another',
    async (t, { registry, publish, settle }) => {
      await publish('users', [a, b]);
      const subscriber = new Subscriber();
      registry.subscribe('users', subscriber.take);
      await settle();
      await publish('users', [{ ...a, weight: 7 }, c]);
      await settle();
      t.deepEqual(subscriber.addresses, [a.address, c.address]);
      t.is(subscriber.known.get(a.address)?.weight, 7);
      t.is(subscriber.contradiction, '');
    },
  );

  check(
    'services do not mix, and a late subscriber gets the whole list',
    async (t, { registry, publish, settle }) => {
      await publish('users', [a]);
      await publish('orders', [c]);
      const users = new Subscriber();
      registry.subscribe('users', users.take);
      await settle();
      await publish('users', [a, b]);
      await settle();
      const late = new Subscriber();
      registry.subscribe('users', late.take);
      await settle();
      t.deepEqual(users.addresses, [a.address, b.address]);
      t.deepEqual(late.addresses, [a.address, b.address]);
    },
  );

  check(
    'a service that appears after it was asked for is found',
    async (t, { registry, publish, settle }) => {
      const subscriber = new Subscriber();
      registry.subscribe('users', subscriber.take);
      await settle();
      t.deepEqual(subscriber.addresses, []);
      await publish('users', [a]);
      await settle();
      t.deepEqual(subscriber.addresses, [a.address]);
      t.is(subscriber.contradiction, '');
    },
  );

  check('nothing arrives after unsubscribing', async (t, { registry, publish, settle }) => {
    await publish('users', [a]);
    const subscriber = new Subscriber();
    const stop = registry.subscribe('users', subscriber.take);
    await settle();
    stop();
    stop();
    const seen = subscriber.deltas.length;
    await publish('users', [b]);
    await settle();
    t.is(subscriber.deltas.length, seen);
  });

  check('health says how it is', async (t, { registry }) => {
    t.true(['ok', 'degraded', 'failed'].includes(registry.health().status));
  });
}
