import { setTimeout as delay } from 'node:timers/promises';
import type { RemoteControl } from '../../src/diagnostics/index.ts';
import { note } from './text.ts';

const stopTimeoutMs = 5000;

/** Takes the monitor out, unless others use it: then it goes with the last of them. A process that is stopped cannot answer, and the command must end all the same. */
export async function takeOut(control: RemoteControl, timeoutMs: number = stopTimeoutMs): Promise<void> {
  const { pid } = control.hello;
  const isLate = await Promise.race([control.leave(), delay(timeoutMs, true, { ref: false })]);
  if (isLate !== true) return;
  note(`process ${pid} does not answer: its monitor stays; "heddle watch ${pid} --stop" takes it out`);
  control.close();
}
