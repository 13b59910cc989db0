import { readFileSync } from 'node:fs';
import {
  HeddleError,
  type MonitorEvent,
  messageOf,
  type ParsedRules,
  type RecordedSample,
  replayRules,
  SignalLog,
} from '../../src/diagnostics/index.ts';
import { note } from './text.ts';

/** Where `--record` writes: 16 MiB a file, the last four are kept. */
export interface Recording {
  /** @param process `service[pid]`: several processes may share the file. */
  see(event: MonitorEvent, process: string): void;
  close(): void;
}

export function openRecording(path: string | undefined): Recording {
  if (path === undefined) return { see: () => {}, close: () => {} };
  const log = new SignalLog({ path, onProblem: note });
  return {
    see: (event, process) => {
      if (event.type !== 'sample') return;
      const { sample, urgent } = event;
      log.write({ atMs: sample.atMs, process, ...(urgent && { urgent }), values: sample.values });
    },
    close: () => log.close(),
  };
}

export interface ReplayFlags {
  readonly json: boolean;
}

/** Prints which rules would have fired on a recording, for each process in it on its own. */
export function replay(file: string, rules: ParsedRules, flags: ReplayFlags): void {
  const processes = Map.groupBy(readSamples(file), ({ process = '' }) => process);
  if (processes.size === 0)
    throw new HeddleError('ERR_CONFIG_READ', `${file} holds no signals; record some with --record`);
  let fired = 0;
  for (const [process, samples] of processes) {
    for (const { rule, trigger, outcome } of replayRules(rules, samples)) {
      fired++;
      const name = process === '' ? '' : `${process}  `;
      if (flags.json) console.log(JSON.stringify({ process, outcome, ...trigger, rule }));
      else
        console.log(`${new Date(trigger.atMs).toISOString()}  ${name}${rule}  ${outcome}: ${trigger.reason}`);
    }
  }
  if (flags.json) return;
  const all = [...processes.values()].flat();
  const seconds = Math.round(((all.at(-1)?.atMs ?? 0) - (all[0]?.atMs ?? 0)) / 1000);
  note(`${all.length} samples of ${processes.size} process(es) over ${seconds} s: ${fired} decisions`);
  if (fired === 0) console.log('no rule would have fired');
}

/** Lines of samples, or of events as `heddle watch --json` prints them. */
function readSamples(file: string): RecordedSample[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new HeddleError('ERR_CONFIG_READ', messageOf(cause), { cause });
  }
  return text.split('\n').flatMap((line, index, { length }): RecordedSample[] => {
    if (line.trim() === '') return [];
    try {
      const parsed = JSON.parse(line) as Partial<RecordedSample & { sample: RecordedSample }>;
      const { process, urgent } = parsed;
      const sample = { ...(parsed.sample ?? parsed), ...(process && { process }), ...(urgent && { urgent }) };
      return typeof sample.atMs === 'number' && typeof sample.values === 'object'
        ? [sample as RecordedSample]
        : [];
    } catch (cause) {
      // The last line of a process that was killed may be cut off.
      if (index >= length - 2) return [];
      throw new HeddleError('ERR_CONFIG_READ', `${file}, line ${index + 1} is no JSON`, { cause });
    }
  });
}
