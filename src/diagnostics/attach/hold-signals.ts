const held: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Puts off the end of this process while another one has its inspector open for us: nobody else would close it.
 * Returns the function that lets go; a signal that came meanwhile then does what it would have done.
 */
export function holdSignals(): () => void {
  const came = new Set<NodeJS.Signals>();
  const listeners = held.map((signal) => {
    const listener = (): void => void came.add(signal);
    process.on(signal, listener);
    return { signal, listener };
  });
  return () => {
    for (const { signal, listener } of listeners) {
      process.off(signal, listener);
      // Who listens too has been told already.
      if (came.has(signal) && process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    }
  };
}
