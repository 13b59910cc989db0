import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  controlDirectory,
  type HeddleError,
  listNodeProcesses,
  matchesProcess,
  WatchDaemon,
} from '../../src/diagnostics/index.ts';
import { tellEvent } from './live.ts';
import { readRulesFile } from './options.ts';
import { openRecording } from './recording.ts';
import { note } from './text.ts';
import { monitorOptions, type WatchFlags } from './watch-flags.ts';
import { stopOne } from './watch-process.ts';

/** `heddle watch --all` */
export async function watchAll(flags: WatchFlags): Promise<void> {
  const path = flags.config ?? flags.rules;
  const file = path === undefined ? undefined : readRulesFile(path);
  const socketPath = flags.socket ?? file?.socket ?? join(controlDirectory(), 'daemon.sock');
  mkdirSync(dirname(socketPath), { recursive: true, mode: 0o700 });
  const json = flags.json === true;
  const recording = openRecording(flags.record);
  const say = (event: object, text: string): void => (json ? console.log(JSON.stringify(event)) : note(text));
  const daemon = await WatchDaemon.start({
    socketPath,
    monitor: monitorOptions(flags),
    ...(file?.match && { match: file.match }),
    onChange: ({ facts, reason }, change) => {
      const { pid, name } = facts;
      say(
        { type: change, pid, name, reason },
        `${name}[${pid}] ${change}${reason === '' ? '' : `: ${reason}`}`,
      );
    },
    onEvent: ({ facts }, event) => {
      const process = `${facts.name}[${facts.pid}]`;
      recording.see(event, process);
      tellEvent(event, { json, process });
    },
  });
  say({ type: 'listening', socketPath }, `watching; agents dial ${socketPath}`);
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
    if (flags.for !== undefined) timer = setTimeout(resolve, flags.for);
  });
  // It would keep the command alive.
  clearTimeout(timer);
  await daemon.close();
  recording.close();
}

/** Takes the monitors of all processes that match out, also those that an earlier daemon has put there. */
export async function stopAll(flags: WatchFlags): Promise<void> {
  const match = flags.config === undefined ? undefined : readRulesFile(flags.config).match;
  let stopped = 0;
  for (const { pid } of listNodeProcesses().filter((facts) => matchesProcess(facts, match))) {
    const ended = await stopOne(pid).catch((thrown: unknown) => thrown as HeddleError);
    if (ended === undefined) stopped++;
    else if (ended.code !== 'ERR_ATTACH_REFUSED') note(`process ${pid}: ${ended.message}`);
  }
  if (flags.json) console.log(JSON.stringify({ type: 'stopped', processes: stopped }));
  else note(`${stopped} monitor(s) stopped`);
}
