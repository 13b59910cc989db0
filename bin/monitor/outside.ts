import { basename } from 'node:path';
import { OutsideWatch, parseRules, readProcess } from '../../src/diagnostics/index.ts';
import { type LiveSource, watchLive } from './live.ts';
import { openRecording } from './recording.ts';
import { monitorOptions, type WatchFlags } from './watch-flags.ts';

/** `heddle watch <pid> --outside`: prints what /proc tells and which rules fire; the process is not touched. */
export async function watchOutside(pid: number, flags: WatchFlags): Promise<void> {
  const { rules, intervalMs } = monitorOptions(flags);
  const recording = openRecording(flags.record);
  let end = (): void => {};
  let watch: OutsideWatch | undefined;
  const interval = intervalMs === undefined ? {} : { intervalMs };
  const source: LiveSource = {
    name: `${nameOf(pid)}[${pid}]`,
    onEvent: async (onEvent) => {
      watch = new OutsideWatch(pid, { rules: parseRules(rules), ...interval, onEvent, onEnd: () => end() });
      return () => watch?.stop();
    },
    onClose: (listener) => {
      end = listener;
    },
    endOf: () => `process ${pid} has ended`,
  };
  try {
    await watchLive(source, {
      json: flags.json === true,
      recording,
      ...(flags.for !== undefined && { forMs: flags.for }),
    });
  } finally {
    watch?.stop();
    recording.close();
  }
}

/** A process that is no Node.js has no script to be named by. */
function nameOf(pid: number): string {
  const facts = readProcess(pid);
  return facts === undefined || facts.isNode
    ? (facts?.name ?? '?')
    : basename(facts.executable) || facts.name;
}
