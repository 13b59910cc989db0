import { SeededRandom } from '../../../src/core/base/random.ts';
import type { Endpoint } from '../../../src/core/contract/cluster.ts';
import type {
  FileAccess,
  RegistryContext,
  RegistryDelta,
  Resolver,
} from '../../../src/core/contract/registry.ts';
import { MetricsTable } from '../../../src/core/observe/metrics.ts';
import { fakeCodecContext } from '../../../src/testing/codec-bench.ts';
import { RecordingSink } from '../../../src/testing/recording-sink.ts';
import { ManualClock, MemoryLogger } from '../cluster/support.ts';

/** Files in memory; a write calls the watchers. */
class MemoryFiles implements FileAccess {
  readonly texts = new Map<string, string>();
  readonly #watchers = new Map<string, Set<() => void>>();
  reads = 0;

  async readText(path: string): Promise<string> {
    this.reads++;
    const text = this.texts.get(path);
    if (text === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
    return text;
  }

  async writeText(path: string, text: string): Promise<void> {
    this.put(path, text);
  }

  watch(path: string, onChange: () => void): () => void {
    const watchers = this.#watchers.get(path) ?? new Set();
    this.#watchers.set(path, watchers);
    watchers.add(onChange);
    return () => watchers.delete(onChange);
  }

  watching(path: string): number {
    return this.#watchers.get(path)?.size ?? 0;
  }

  put(path: string, text: string | null): void {
    if (text === null) this.texts.delete(path);
    else this.texts.set(path, text);
    for (const watcher of this.#watchers.get(path) ?? []) watcher();
  }
}

/** Answers what the test put there. */
class MemoryResolver implements Resolver {
  readonly answers = new Map<string, string[] | Error>();
  readonly srv = new Map<string, { host: string; port: number; weight: number; priority: number }[]>();
  ttlSeconds = 60;
  asked: string[] = [];

  async resolve(name: string, family: string): Promise<{ addresses: string[]; ttlSeconds: number }> {
    this.asked.push(`${name} ${family}`);
    const answer =
      this.answers.get(name) ?? Object.assign(new Error(`not found ${name}`), { code: 'ENOTFOUND' });
    if (answer instanceof Error) throw answer;
    return { addresses: answer, ttlSeconds: this.ttlSeconds };
  }

  async resolveSrv(name: string): Promise<Awaited<ReturnType<Resolver['resolveSrv']>>> {
    this.asked.push(`${name} srv`);
    const records = this.srv.get(name);
    if (records === undefined) throw Object.assign(new Error(`not found ${name}`), { code: 'ENOTFOUND' });
    return { records, ttlSeconds: this.ttlSeconds };
  }
}

export interface TestContext extends RegistryContext {
  readonly clock: ManualClock;
  readonly logger: MemoryLogger;
  readonly files: MemoryFiles;
  readonly resolver: MemoryResolver;
}

export function testContext(): TestContext {
  return {
    clock: new ManualClock(),
    random: new SeededRandom(3),
    logger: new MemoryLogger(),
    metrics: new MetricsTable(),
    files: new MemoryFiles(),
    resolver: new MemoryResolver(),
    dialer: () => () => {
      throw new Error('this registry needs no network');
    },
    codec: fakeCodecContext(new RecordingSink()),
  };
}

/** Lets every promise that can settle settle. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

/** Applies deltas as a cluster does and fails where they contradict what went before. */
export class Follower {
  readonly deltas: RegistryDelta[] = [];
  readonly #list = new Map<string, Endpoint>();

  readonly listen = (delta: RegistryDelta): void => {
    const last = this.deltas.at(-1);
    if (last === undefined && !delta.full) throw new Error('the first delta must be full');
    if (last !== undefined && !delta.full && delta.version <= last.version)
      throw new Error('version must grow');
    this.deltas.push(delta);
    if (delta.full) this.#list.clear();
    for (const address of delta.removed) {
      if (!this.#list.delete(address)) throw new Error(`removed what was not there: ${address}`);
    }
    for (const each of delta.added) {
      if (this.#list.has(each.address) && !delta.full) throw new Error(`added twice: ${each.address}`);
      this.#list.set(each.address, each);
    }
    for (const each of delta.changed) {
      if (!this.#list.has(each.address)) throw new Error(`changed what was not there: ${each.address}`);
      this.#list.set(each.address, each);
    }
  };

  get addresses(): string[] {
    return [...this.#list.keys()].sort();
  }

  get(address: string): Endpoint | undefined {
    return this.#list.get(address);
  }
}
