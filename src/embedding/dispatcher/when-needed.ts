/**
 * Loading Node's own fetch costs 35 ms of CPU, and a program may never use it. `install` is called where a dispatcher is
 * first asked for:
 *
 *   `fetch` is called              before the call
 *   undici looks for a global one  before it gets it
 *   Node's fetch is loaded         right after, for it looks whether there is one before it makes its own
 *
 * @param keys properties of globalThis that hold dispatchers, without a value as yet
 * @param install makes these properties what they shall be; called once, at most
 * @returns stops it when it has not happened yet
 */
export function whenDispatcherNeeded(keys: readonly symbol[], install: () => void): () => void {
  const holder = globalThis as unknown as Record<symbol, unknown>;
  let isWaiting = true;
  const settle = (): void => {
    isWaiting = false;
    for (const key of keys) {
      if (Object.getOwnPropertyDescriptor(holder, key)?.get === getters.get(key)) delete holder[key];
    }
    if (globalThis.fetch === waitingFetch) globalThis.fetch = ownFetch;
  };
  const happen = (): void => {
    if (!isWaiting) return;
    settle();
    install();
  };
  const getters = new Map(
    keys.map((key) => [
      key,
      () => {
        if (isFetchLoading()) {
          queueMicrotask(happen);
          return undefined;
        }
        happen();
        return holder[key];
      },
    ]),
  );
  for (const key of keys) {
    const set = (value: unknown): void => {
      Object.defineProperty(holder, key, { value, writable: true, configurable: true });
    };
    Object.defineProperty(holder, key, { get: getters.get(key) as () => unknown, set, configurable: true });
  }
  const ownFetch = globalThis.fetch;
  const waitingFetch: typeof fetch = function fetch(input, init = undefined) {
    happen();
    return ownFetch(input, init);
  };
  globalThis.fetch = waitingFetch;
  return () => {
    if (isWaiting) settle();
  };
}

/** Is the module behind `fetch` in the middle of being loaded, and asks itself? */
function isFetchLoading(): boolean {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 50;
  const { stack = '' } = new Error('who asks');
  Error.stackTraceLimit = stackTraceLimit;
  return stack.includes('node:internal/deps/undici');
}
