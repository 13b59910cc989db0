import type { Endpoint } from '../../core/contract/cluster.ts';
import type { Registry, RegistryDelta } from '../../core/contract/registry.ts';
import type { SuiteAssertions, SuiteTest } from './suite-test.ts';

/** A registry under test with a way to change what it knows. */
export interface RegistryFixture {
  readonly registry: Registry;
  /** Makes `endpoints` the list of `service` at the source. */
  publish(service: string, endpoints: readonly Endpoint[]): void | Promise<void>;
  /** Returns once everything published has been delivered. */
  settle(): void | Promise<void>;
  close(): void | Promise<void>;
}

/** An endpoint with the defaults of a configuration. */
export function endpoint(address: string, facts: Partial<Endpoint> = {}): Endpoint {
  return { address, weight: 1, metadata: {}, zone: '', priority: 0, hostname: '', ...facts };
}

/** What a subscriber knows after the deltas it was given. */
class Subscriber {
  readonly deltas: RegistryDelta[] = [];
  readonly known = new Map<string, Endpoint>();

  readonly take = (delta: RegistryDelta): void => {
    this.deltas.push(delta);
    if (delta.full) this.known.clear();
    for (const each of [...delta.added, ...delta.changed]) this.known.set(each.address, each);
    for (const address of delta.removed) this.known.delete(address);
  };

  get addresses(): string[] {
    return [...this.known.keys()].toSorted();
  }

  get versions(): number[] {
    return this.deltas.map((delta) => delta.version);
  }
}

const a = endpoint('10.0.0.1:80');
const b = endpoint('10.0.0.2:80', { weight: 3, metadata: { version: '2' }, zone: 'east' });
const c = endpoint('10.0.0.3:80');

/** What every registry keeps. @param open a fresh one that knows no service */
export function registryContractSuite(
  test: SuiteTest,
  name: string,
  open: () => RegistryFixture | Promise<RegistryFixture>,
): void {
  const using = async (run: (fixture: RegistryFixture) => Promise<void>): Promise<void> => {
    const fixture = await open();
    try {
      await run(fixture);
    } finally {
      await fixture.registry.close();
      await fixture.close();
    }
  };
  const check = (
    title: string,
    run: (t: SuiteAssertions, fixture: RegistryFixture) => Promise<void>,
  ): unknown => test(`${name}: ${title}`, (t) => using((fixture) => run(t, fixture)));

  check(
    'the first delta is full, with every fact of the endpoints',
    async (t, { registry, publish, settle }) => {
      await publish('users', [a, b]);
      const subscriber = new Subscriber();
      registry.subscribe('users', subscriber.take);
      await settle();
      t.true(subscriber.deltas[0]?.full);
      t.deepEqual(subscriber.addresses, [a.address, b.address]);
      t.deepEqual(subscriber.known.get(b.address), b);
    },
  );

  check(
    'changes lead to the list at the source and versions grow',
    async (t, { registry, publish, settle }) => {
      await publish('users', [a, b]);
      const subscriber = new Subscriber();
      registry.subscribe('users', subscriber.take);
      await settle();
      await publish('users', [{ ...a, weight: 7 }, c]);
      await settle();
      t.deepEqual(subscriber.addresses, [a.address, c.address]);
      t.is(subscriber.known.get(a.address)?.weight, 7);
      t.deepEqual(
        subscriber.versions,
        [...new Set(subscriber.versions)].toSorted((x, y) => x - y),
      );
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
