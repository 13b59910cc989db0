import { constants } from 'node:os';

/** These end a process that does not listen to them. */
const deadly: ReadonlySet<string> = new Set([
  'SIGTERM',
  'SIGINT',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR2',
  'SIGALRM',
  'SIGABRT',
]);

/**
 * Calls `beforeDeath` when the application is about to kill itself by a signal that nobody listens to, as shutdown
 * libraries do. Node then waits for inspector sessions and says so on stderr, without an `exit` event before it.
 * Returns the function that takes the wrapper away.
 */
export function watchSelfKill(beforeDeath: () => void): () => void {
  const original = process.kill;
  const wrapped: typeof process.kill = (pid, signal = 'SIGTERM') => {
    if (isSelf(pid)) {
      const name = typeof signal === 'string' ? signal : nameOf(signal);
      if (deadly.has(name) && process.listenerCount(name) === 0) beforeDeath();
    }
    return original.call(process, pid, signal);
  };
  process.kill = wrapped;
  return () => {
    // Somebody may have wrapped our wrapper meanwhile; then it has to stay below theirs.
    if (process.kill === wrapped) process.kill = original;
  };
}

const isSelf = (pid: number): boolean => pid === process.pid || pid === 0 || pid === -process.pid;

function nameOf(signal: number): string {
  const found = Object.entries(constants.signals).find(([, number]) => number === signal);
  return found?.[0] ?? '';
}
