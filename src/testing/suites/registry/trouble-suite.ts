import type { Check } from '../registry-contract-suite.ts';
import { endpoint, Subscriber } from './fixture.ts';

const a = endpoint('10.0.0.1:80');
const b = endpoint('10.0.0.2:80');

/** What goes wrong at the source empties no list, and is said. */
export function troubleSuite(check: Check): void {
  check('an empty list is refused while a good one serves', async (t, fixture) => {
    const { registry, publish, settle, takesEmpty } = fixture;
    await publish('users', [a]);
    const subscriber = new Subscriber();
    registry.subscribe('users', subscriber.take);
    await settle();
    await publish('users', []);
    await settle();
    if (takesEmpty === true) t.deepEqual(subscriber.addresses, []);
    else {
      t.deepEqual(subscriber.addresses, [a.address]);
      t.is(registry.health().status, 'degraded');
      t.true(registry.health().reason !== '');
    }
    await publish('users', [b]);
    await settle();
    t.deepEqual(subscriber.addresses, [b.address], 'what comes next counts alone');
    t.is(registry.health().status, 'ok');
    t.is(subscriber.contradiction, '');
  });

  check(
    'an outage keeps the list and says so; what was missed is caught up with',
    async (t, fixture) => {
      const { registry, publish, settle, outage } = fixture;
      await publish('users', [a]);
      const subscriber = new Subscriber();
      registry.subscribe('users', subscriber.take);
      await settle();
      await outage?.begin();
      await settle();
      t.deepEqual(subscriber.addresses, [a.address]);
      t.is(registry.health().status, 'degraded');
      const late = new Subscriber();
      registry.subscribe('orders', late.take);
      await settle();
      t.is(registry.health().status, 'failed', 'a service without any list');
      await publish('users', [a, b]);
      await outage?.end();
      await settle();
      t.deepEqual(subscriber.addresses, [a.address, b.address]);
      await publish('orders', [b]);
      await settle();
      t.deepEqual(late.addresses, [b.address]);
      t.is(registry.health().status, 'ok');
      t.is(subscriber.contradiction, '');
    },
    'outage',
  );

  check(
    'garbage costs only itself',
    async (t, { registry, publish, settle, garble }) => {
      await publish('users', [a]);
      const subscriber = new Subscriber();
      registry.subscribe('users', subscriber.take);
      await settle();
      await garble?.('users');
      await settle();
      t.deepEqual(subscriber.addresses, [a.address]);
      t.true(registry.health().reason !== '');
      await publish('users', [a, b]);
      await settle();
      t.deepEqual(subscriber.addresses, [a.address, b.address]);
    },
    'garble',
  );

  check(
    'an address that is listed twice is one host',
    async (t, { registry, settle, duplicate }) => {
      await duplicate?.('users', [a, b]);
      const subscriber = new Subscriber();
      registry.subscribe('users', subscriber.take);
      await settle();
      t.deepEqual(subscriber.addresses, [a.address, b.address]);
      t.is(subscriber.contradiction, '');
    },
    'duplicate',
  );

  check(
    'closing leaves nothing open, and nothing arrives afterwards',
    async (t, fixture) => {
      const { registry, publish, settle, open } = fixture;
      await publish('users', [a]);
      const subscriber = new Subscriber();
      registry.subscribe('users', subscriber.take);
      await settle();
      const seen = subscriber.deltas.length;
      await registry.close();
      await publish('users', [b]);
      await settle();
      t.is(subscriber.deltas.length, seen);
      t.is(open?.(), 0);
    },
    'open',
  );
}
