import type { Publication, Published, Registry } from '../../../core/contract/registry.ts';
import type { Check } from '../registry-contract-suite.ts';
import { endpoint, Subscriber } from './fixture.ts';

const a = endpoint('10.0.0.1:80', { weight: 5, metadata: { build: '2' } });
const b = endpoint('10.0.0.2:80', { weight: 5 });

function publishAt(registry: Registry, publication: Publication): Published {
  if (registry.publish === undefined) throw new Error('this registry takes no publications');
  return registry.publish(publication);
}

/** For registries that take publications. */
export function publishingSuite(check: Check): void {
  check(
    'what is published is found, and gone when it is withdrawn',
    async (t, { registry, settle }) => {
      const subscriber = new Subscriber();
      registry.subscribe('users', subscriber.take);
      const one = publishAt(registry, { service: 'users', endpoint: a });
      const two = publishAt(registry, { service: 'users', endpoint: b });
      await settle();
      await Promise.all([one.ready, two.ready]);
      await settle();
      t.deepEqual(subscriber.addresses, [a.address, b.address]);
      t.is(subscriber.known.get(a.address)?.weight, 5);
      t.is(subscriber.known.get(a.address)?.metadata['build'], '2');
      const [first, again] = [one.withdraw(), one.withdraw()];
      await settle();
      await Promise.all([first, again]);
      await settle();
      t.deepEqual(subscriber.addresses, [b.address]);
      t.is(subscriber.contradiction, '');
    },
    'publish',
  );

  check(
    'saying the same again changes nothing, other facts replace them',
    async (t, { registry, settle }) => {
      const subscriber = new Subscriber();
      registry.subscribe('users', subscriber.take);
      const one = publishAt(registry, { service: 'users', endpoint: a });
      await settle();
      await one.ready;
      await settle();
      const seen = subscriber.deltas.length;
      publishAt(registry, { service: 'users', endpoint: { ...a } });
      await settle();
      t.is(subscriber.deltas.length, seen);
      const other = publishAt(registry, { service: 'users', endpoint: { ...a, weight: 9 } });
      await settle();
      await other.ready;
      await settle();
      t.is(subscriber.known.get(a.address)?.weight, 9);
      t.is(subscriber.contradiction, '');
    },
    'publish',
  );

  check(
    'a publication outlives an outage, also one that began in it',
    async (t, fixture) => {
      const { registry, settle, outage, isListed } = fixture;
      const one = publishAt(registry, { service: 'users', endpoint: a });
      await settle();
      await one.ready;
      await outage?.begin();
      const two = publishAt(registry, { service: 'users', endpoint: b });
      await settle();
      t.is(registry.health().status, 'degraded');
      await outage?.end();
      await settle();
      await two.ready;
      t.is(true, await isListed?.('users', a.address));
      t.is(true, await isListed?.('users', b.address));
    },
    'publish',
    'outage',
    'isListed',
  );

  check(
    'closing withdraws',
    async (t, { registry, settle, isListed }) => {
      const one = publishAt(registry, { service: 'users', endpoint: a });
      await settle();
      await one.ready;
      t.is(true, await isListed?.('users', a.address));
      await registry.close();
      await settle();
      t.is(false, await isListed?.('users', a.address));
    },
    'publish',
    'isListed',
  );
}
