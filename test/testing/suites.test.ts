import test from 'ava';
import type { Balancer, Host } from '../../src/core/contract/cluster.ts';
import type { Limiter } from '../../src/core/contract/limiter.ts';
import type { Registry, RegistryDelta } from '../../src/core/contract/registry.ts';
import type { Stream } from '../../src/core/contract/stream.ts';
import {
  balancerContractSuite,
  type endpoint,
  FakeClock,
  limiterContractSuite,
  type RegistryFixture,
  registryContractSuite,
  type SuiteAssertions,
  type SuiteTest,
} from '../../src/testing/index.ts';

class InTurn implements Balancer {
  #hosts: readonly Host[] = [];
  #next = 0;

  update(set: { available: readonly Host[] }): void {
    this.#hosts = set.available;
  }

  pick(s?: Stream | null): Host | null {
    for (let i = 0; i < this.#hosts.length; i++) {
      const host = this.#hosts[this.#next++ % this.#hosts.length] as Host;
      if (s?.triedHosts?.includes(host) !== true) return host;
    }
    return this.#hosts[0] ?? null;
  }
}

class AtOnce implements Limiter {
  #used = 0;

  tryAcquire(_s: null, tokens: number): boolean {
    if (this.#used + tokens > 5) return false;
    this.#used += tokens;
    return true;
  }

  release(): void {
    this.#used--;
  }

  retryAfterMs(): number {
    return 0;
  }
}

class PerSecond implements Limiter {
  readonly #clock: FakeClock;
  #window = -1;
  #used = 0;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  tryAcquire(_s: null, tokens: number): boolean {
    const window = Math.floor(this.#clock.now() / 1000);
    if (window !== this.#window) this.#used = 0;
    this.#window = window;
    if (this.#used + tokens > 5) return false;
    this.#used += tokens;
    return true;
  }

  release(): void {}

  retryAfterMs(): number {
    return 1000 - (this.#clock.now() % 1000);
  }
}

function listRegistry(): RegistryFixture {
  const lists = new Map<string, ReturnType<typeof endpoint>[]>();
  const listeners = new Set<{ service: string; onDelta: (delta: RegistryDelta) => void }>();
  let version = 0;
  const tell = (service: string, onDelta: (delta: RegistryDelta) => void): void =>
    onDelta({
      service,
      version: ++version,
      full: true,
      added: lists.get(service) ?? [],
      removed: [],
      changed: [],
    });
  const registry: Registry = {
    subscribe: (service, onDelta) => {
      const entry = { service, onDelta };
      listeners.add(entry);
      tell(service, onDelta);
      return () => void listeners.delete(entry);
    },
    health: () => ({ status: 'ok', reason: '', sinceMs: 0 }),
    close: async () => listeners.clear(),
  };
  return {
    registry,
    publish: (service, endpoints) => {
      lists.set(service, [...endpoints]);
      for (const each of listeners) if (each.service === service) tell(service, each.onDelta);
    },
    settle: () => {},
    close: () => {},
    takesEmpty: true,
  };
}

balancerContractSuite(test, 'in turn', () => new InTurn());
limiterContractSuite(test, 'at once', () => new AtOnce(), { limit: 5, kind: 'concurrency' });
limiterContractSuite(test, 'per second', (clock) => new PerSecond(clock), {
  limit: 5,
  kind: 'rate',
  perMs: 1000,
});
registryContractSuite(test, 'list', listRegistry);

/** Runs a suite by itself and returns the titles of its failed tests. */
async function failuresOf(define: (test: SuiteTest) => void): Promise<string[]> {
  const runs: Promise<string | null>[] = [];
  define((title, run) => {
    let failed = false;
    const expect = (isTrue: boolean): void => {
      if (!isTrue) failed = true;
    };
    const t: SuiteAssertions = {
      is: (actual, expected) => expect(Object.is(actual, expected)),
      deepEqual: (actual, expected) => expect(JSON.stringify(actual) === JSON.stringify(expected)),
      true: (actual) => expect(actual === true),
      false: (actual) => expect(actual === false),
    };
    runs.push(
      (async () => run(t))().then(
        () => (failed ? title : null),
        () => title,
      ),
    );
  });
  return (await Promise.all(runs)).filter((title) => title !== null);
}

test('a balancer that forgets about updates fails its suite', async (t) => {
  class Stale extends InTurn {
    #done = false;

    override update(set: { available: readonly Host[] }): void {
      if (!this.#done) super.update(set);
      this.#done = set.available.length > 0;
    }
  }
  t.true((await failuresOf((run) => balancerContractSuite(run, 'stale', () => new Stale()))).length >= 2);
});

test('a limiter that counts refused calls fails its suite', async (t) => {
  class Drifting extends AtOnce {
    #calls = 0;

    override tryAcquire(s: null, tokens: number): boolean {
      this.#calls += tokens;
      return this.#calls <= 5 && super.tryAcquire(s, tokens);
    }
  }
  const define = (run: SuiteTest): void =>
    limiterContractSuite(run, 'drifting', () => new Drifting(), { limit: 5, kind: 'concurrency' });
  t.deepEqual(await failuresOf(define), ['drifting: a release makes room for exactly one']);
});

test('the fake clock runs timers in order, also those set meanwhile', (t) => {
  const clock = new FakeClock();
  const seen: string[] = [];
  clock.setTimer(20, () => seen.push('b'));
  clock.setTimer(10, () => {
    seen.push('a');
    clock.setTimer(5, () => seen.push(`a+${clock.now()}`));
  });
  clock.setTimer(15, () => seen.push('never')).cancel();
  clock.advance(19);
  t.deepEqual(seen, ['a', 'a+1015']);
  clock.advance(1);
  t.deepEqual(seen, ['a', 'a+1015', 'b']);
});
