import type { ProcessFacts } from './process-table.ts';

/**
 * Why a process must not be attached to, as half a sentence, or undefined where nothing speaks against it.
 * SIGUSR1 ends a process that has no handler for it, so every doubt is a refusal.
 */
export function refusalOf(
  facts: ProcessFacts,
  ownUid: number = process.getuid?.() ?? -1,
): string | undefined {
  const { pid } = facts;
  if (pid === process.pid) return 'it is this process';
  if (facts.state === 'Z') return `process ${pid} has ended`;
  if (facts.uid !== ownUid) {
    return `process ${pid} belongs to user ${facts.uid}; run heddle as that user`;
  }
  if (!facts.isSameContainer) {
    return `process ${pid} runs in another container; start it there with "node --import heddle/monitor"`;
  }
  if (!facts.isNode) {
    return `process ${pid} is not Node.js (it runs ${facts.executable || 'an executable that cannot be read'})`;
  }
  if (facts.state === 'T') return `process ${pid} is stopped; continue it first (kill -CONT ${pid})`;
  if (facts.state === 't' || facts.tracerPid !== 0) {
    return `process ${pid} is traced by process ${facts.tracerPid}`;
  }
  if (facts.hasInspectFlag) return `process ${pid} already has a debugger (--inspect)`;
  if (!facts.catchesSigusr1) {
    return `process ${pid} does not listen to SIGUSR1 (--disable-sigusr1, --permission, or just starting)`;
  }
  return undefined;
}
