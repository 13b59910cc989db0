import { HeddleError } from '../../core/base/errors.ts';
import type { EffectiveConfig } from '../../core/contract/config.ts';
import { packValues, unpackValues } from '../../transport/worker/plain-values.ts';

/** What the program's thread knows of the configuration of the mesh in the worker. */
export class WorkerConfig {
  /** What a worker is started with: as it was given, plain. */
  #input: unknown;
  /** Of listeners, as they were bound: a worker that is started again keeps those that were asked for with port 0. */
  #addresses: Readonly<Record<string, string>> = {};
  #current: EffectiveConfig | null = null;
  #clusterNames: ReadonlySet<string> = new Set();

  /** @throws HeddleError ERR_WORKER_VALUE */
  constructor(input: { readonly mode?: unknown }) {
    this.#input = plain(input);
  }

  /** In force, every default filled in. */
  get current(): EffectiveConfig {
    if (this.#current === null) throw new HeddleError('ERR_BUG', 'a mesh without a configuration');
    return this.#current;
  }

  get hasStarted(): boolean {
    return this.#current !== null;
  }

  get addresses(): Readonly<Record<string, string>> {
    return this.#addresses;
  }

  hasCluster(name: string): boolean {
    return this.#clusterNames.has(name);
  }

  /** The worker runs this now. @param input what it was given, where that is new */
  takeOver(packed: unknown, addresses: Readonly<Record<string, string>>, input: unknown = this.#input): void {
    this.#input = input;
    this.#current = unpackValues(packed) as EffectiveConfig;
    this.#addresses = addresses;
    this.#clusterNames = new Set(this.#current.clusters.map((each) => each.name));
  }

  /** For a worker that starts: with the addresses that its listeners had, so that who knows them finds them there again. */
  forStart(): unknown {
    const input = this.#input as { listeners?: unknown };
    if (!Array.isArray(input.listeners)) return input;
    const listeners = input.listeners.map((each: { name?: unknown; address?: unknown }) => {
      const bound = this.#addresses[String(each?.name)];
      const wantsAny = typeof each?.address === 'string' && each.address.endsWith(':0');
      return bound !== undefined && wantsAny ? { ...each, address: bound } : each;
    });
    return { ...input, listeners };
  }
}

/** A configuration as data that can cross, for the mesh inside. @throws HeddleError ERR_WORKER_VALUE */
export function plain({ mode: _mode, ...rest }: { readonly mode?: unknown }): unknown {
  return packValues(rest);
}
