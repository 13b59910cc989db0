import type { ControlSocket } from '../contract.ts';

/**
 * How the worker reaches the application's thread while that is blocked: an expression given to `Runtime.evaluate`
 * finds the hooks of its own monitor under one global symbol and calls a method by name. Nothing else is global, and
 * the entry goes when the monitor stops.
 */
const key = Symbol.for('heddle.monitor.hooks');

/** Methods answer with JSON-safe data and never throw into the application. */
export type HookMethods = Readonly<Record<string, (argument: never) => unknown>>;
type Registry = Map<string, HookMethods>;

export function registerHooks(id: string, methods: HookMethods): () => void {
  const holder = globalThis as unknown as Record<symbol, Registry | undefined>;
  let registry = holder[key];
  if (registry === undefined) {
    registry = new Map();
    Object.defineProperty(globalThis, key, { value: registry, configurable: true, enumerable: false });
  }
  registry.set(id, methods);
  return () => {
    registry.delete(id);
    if (registry.size === 0) Reflect.deleteProperty(globalThis, key);
  };
}

/**
 * A monitor that runs in this process already and can be reached by other processes if it is told where to listen or
 * dial. It may be of another copy of this package, or of a version that cannot.
 */
export function findOffer(): OfferControl | undefined {
  const registry = (globalThis as unknown as Record<symbol, Registry | undefined>)[key];
  for (const methods of registry?.values() ?? []) {
    if (typeof methods['offerControl'] === 'function') return methods['offerControl'] as OfferControl;
  }
  return undefined;
}

export type OfferControl = (control: ControlSocket) => void;

/** The expression that calls one method of the hooks with that id; its value is undefined once they are gone. */
export function hookExpression(id: string, method: string, argument?: unknown): string {
  const call = `[${JSON.stringify(method)}](${argument === undefined ? '' : JSON.stringify(argument)})`;
  return `globalThis[Symbol.for('heddle.monitor.hooks')]?.get(${JSON.stringify(id)})?.${call}`;
}
