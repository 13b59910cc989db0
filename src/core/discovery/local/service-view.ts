import { messageOf } from '../../base/errors.ts';
import type { Endpoint } from '../../contract/cluster.ts';
import type { Registry, RegistryDelta } from '../../contract/registry.ts';

interface Part {
  readonly list: Map<string, Endpoint>;
  hasAnswered: boolean;
  /** Why it cannot list such a service, "" when it can. */
  refusal: string;
  readonly stop: () => void;
}

/**
 * One service as several registries list it, joined by address: for callers who ask "what is the list now" and "tell me
 * when it is another".
 */
export class ServiceView {
  readonly service: string;
  readonly #parts = new Map<Registry, Part>();
  readonly #waiting = new Set<() => void>();
  #changes = 0;
  #isClosed = false;

  constructor(service: string) {
    this.service = service;
  }

  /** Grows with every change of the list. */
  get changes(): number {
    return this.#changes;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Some registry has answered; an empty list is one then. */
  get isKnown(): boolean {
    return [...this.#parts.values()].some((part) => part.hasAnswered);
  }

  /** Why no registry can list it; "" when one can. */
  get refusal(): string {
    const parts = [...this.#parts.values()];
    return parts.every((part) => part.refusal !== '') ? (parts[0]?.refusal ?? '') : '';
  }

  /** Where two registries list one address, the first one's facts count. */
  endpoints(): Endpoint[] {
    const joined = new Map<string, Endpoint>();
    for (const { list } of this.#parts.values()) {
      for (const endpoint of list.values())
        if (!joined.has(endpoint.address)) joined.set(endpoint.address, endpoint);
    }
    return [...joined.values()];
  }

  /** In order of precedence. Those that stay keep their lists. */
  follow(registries: readonly Registry[]): void {
    const before = new Map(this.#parts);
    this.#parts.clear();
    for (const registry of registries) {
      const known = before.get(registry);
      before.delete(registry);
      if (known === undefined) this.#add(registry);
      else this.#parts.set(registry, known);
    }
    for (const part of before.values()) part.stop();
    if (before.size > 0) this.#changed();
  }

  /** Calls once after the next change; the returned function takes that back. */
  onNextChange(run: () => void): () => void {
    this.#waiting.add(run);
    return () => void this.#waiting.delete(run);
  }

  close(): void {
    this.#isClosed = true;
    for (const part of this.#parts.values()) part.stop();
    this.#parts.clear();
    this.#changed();
  }

  #add(registry: Registry): void {
    const list = new Map<string, Endpoint>();
    let isOver = false;
    let unsubscribe = (): void => {};
    const part: Part = {
      list,
      hasAnswered: false,
      refusal: '',
      stop() {
        isOver = true;
        unsubscribe();
      },
    };
    this.#parts.set(registry, part);
    const onDelta = (delta: RegistryDelta): void => {
      if (isOver) return;
      part.hasAnswered = true;
      apply(list, delta);
      this.#changed();
    };
    try {
      unsubscribe = registry.subscribe(this.service, onDelta);
    } catch (thrown) {
      // A name that one registry cannot have, another one can.
      part.refusal = messageOf(thrown);
    }
  }

  #changed(): void {
    this.#changes++;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const run of waiting) run();
  }
}

function apply(list: Map<string, Endpoint>, delta: RegistryDelta): void {
  if (delta.full) list.clear();
  for (const address of delta.removed) list.delete(address);
  for (const endpoint of delta.added) list.set(endpoint.address, endpoint);
  for (const endpoint of delta.changed) list.set(endpoint.address, endpoint);
}
