import { existsSync } from 'node:fs';
import {
  attach,
  changedRules,
  controlSocketPath,
  HeddleError,
  RemoteControl,
} from '../../src/diagnostics/index.ts';
import { monitorSource, watchLive } from './live.ts';
import { openRecording } from './recording.ts';
import { takeOut } from './take-out.ts';
import { note } from './text.ts';
import { monitorOptions, noteBackend, type WatchFlags } from './watch-flags.ts';

/** `heddle watch <pid>` */
export async function watchOne(pid: number, flags: WatchFlags): Promise<void> {
  if (flags.stop || flags.pause || flags.resume) return order(pid, flags);
  const { control, wasRunning, tookMs } = await attach(pid, { monitor: monitorOptions(flags) });
  const recording = openRecording(flags.record);
  // Also after an error: the open connection would keep this command alive, and a new monitor the process's.
  try {
    const { directory } = await control.status();
    if (wasRunning) noteRunning(pid, directory, flags);
    else note(`monitor in process ${pid} after ${tookMs.toFixed(0)} ms; captures go to ${directory}`);
    await noteBackend(control);
    if (wasRunning) await changeLive(control, flags);
    await watchLive(monitorSource(control), {
      json: flags.json === true,
      recording,
      ...(flags.for !== undefined && { forMs: flags.for }),
    });
  } finally {
    recording.close();
    if (wasRunning || flags.stay) control.close();
    else await takeOut(control);
  }
}

/** Somebody else has set it up: what was asked for and has no effect is said. */
function noteRunning(pid: number, directory: string, flags: WatchFlags): void {
  note(`process ${pid} has a monitor already; its captures go to ${directory}`);
  const unused = (['directory', 'service', 'backend'] as const).filter((name) => flags[name] !== undefined);
  if (unused.length > 0)
    note(`it keeps its settings: ${unused.map((name) => `--${name}`).join(', ')} has no effect`);
}

/** What was changed earlier and is not named now stays as it is. */
async function changeLive(control: RemoteControl, flags: WatchFlags): Promise<void> {
  if (flags.rules !== undefined) return control.setRules(monitorOptions(flags).rules);
  if (flags.set === undefined) return;
  const { rules } = await control.status();
  await control.setRules(changedRules(rules, flags.set));
}

/** One order to the monitor that a process has, whoever started it. @throws HeddleError ERR_ATTACH_REFUSED when it has none. */
async function order(pid: number, { stop, pause }: WatchFlags): Promise<void> {
  const { control, wasRunning } = await attach(pid, { monitor: { rules: [], recorder: false } });
  if (!wasRunning) {
    await control.stop();
    throw new HeddleError('ERR_ATTACH_REFUSED', `process ${pid} has no monitor`);
  }
  if (stop) return control.stop();
  await (pause ? control.pause() : control.resume());
  control.close();
  note(pause ? `the rules of process ${pid} are paused` : `the rules of process ${pid} go on`);
}

/** Takes the monitor that answers out of a process. @throws HeddleError ERR_ATTACH_REFUSED when it has none. */
export async function stopOne(pid: number): Promise<void> {
  const path = controlSocketPath(pid);
  const control = existsSync(path) ? await RemoteControl.connect(path).catch(() => undefined) : undefined;
  if (control === undefined) throw new HeddleError('ERR_ATTACH_REFUSED', `process ${pid} has no monitor`);
  await control.stop();
}
