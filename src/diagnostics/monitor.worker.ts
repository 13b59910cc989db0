import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../core/base/errors.ts';
import type { OpenControl } from './attach/control.ts';
import { enforceBounds } from './captures/directory.ts';
import type { ControlSocket } from './contract.ts';
import type { HookReport } from './hooks/install.ts';
import type { MonitorSettings } from './options.ts';
import { SharedState } from './shared-state.ts';
import { MonitorAgent } from './worker/agent.ts';
import { answerCalls } from './worker/answer-calls.ts';
import type { ControlCall, ControlOffer, MonitorWorkerData, WorkerMessage } from './worker/worker-data.ts';

/** The entry of the monitor's thread. Whatever goes wrong here is told to the application's side, never thrown there. */
async function run(data: MonitorWorkerData): Promise<void> {
  const send = (message: WorkerMessage): void => parentPort?.postMessage(message);
  const state = new SharedState(data.shared);
  // Each side raises its flag before it reads the other's, so a process that ends while this thread starts never
  // has a session opened behind its back.
  state.raise('connecting');
  if (state.flag('exiting') !== 0) return;
  const agent = new MonitorAgent({
    id: data.id,
    settings: data.settings,
    state,
    oldSpaceBytes: data.oldSpaceBytes,
    ownUrl: import.meta.url,
    backend: data.backend,
  });
  const problem = (error: unknown): void => agent.problem(messageOf(error));
  process.on('uncaughtException', problem);
  process.on('unhandledRejection', problem);
  const opened: OpenControl[] = [];
  const offer = async (options: ControlSocket): Promise<void> => {
    try {
      opened.push(...(await offerControl(agent, options)));
    } catch (error) {
      problem(error);
    }
  };
  // The application waits for this before it exits: with a session open Node prints that it waits for a debugger.
  void state.changed('exiting').then(() => {
    agent.release();
    for (const open of opened) open.unlink();
    state.raise('released');
  });
  data.hooksPort.on('message', (report: HookReport) => {
    agent.sampler.accept(report);
    for (const failure of report.failures ?? []) agent.problem(failure);
  });
  agent.onEvent((event) => {
    if (event.type !== 'sample' || data.wantsSamples) send({ type: 'event', event });
  });
  if (parentPort !== null) answerCalls(parentPort, agent, send);
  parentPort?.on('message', (message: ControlOffer | ControlCall) => {
    if (message.type === 'offer') void offer(message.control);
  });
  // Whoever attaches waits for the socket: it opens while the samplers start.
  const control = offer(data.settings.control);
  try {
    await agent.start();
  } catch (error) {
    agent.release();
    state.raise('released');
    send({ type: 'failed', reason: messageOf(error) });
    return;
  }
  await control;
  send({ type: 'ready' });
  tidy(data.settings, problem);
}

/** Files of an earlier process grow too old also where nothing is captured any more. */
function tidy({ directory, bounds }: MonitorSettings, problem: (error: unknown) => void): void {
  try {
    enforceBounds(directory, bounds, Date.now());
  } catch (error) {
    problem(error);
  }
}

/** Loaded only where somebody may ask: an idle monitor pays nothing for it. */
async function offerControl(agent: MonitorAgent, options: ControlSocket): Promise<OpenControl[]> {
  if (options.listen === undefined && options.dial === undefined) return [];
  const { openControl } = await import('./attach/control.ts');
  return [await openControl(agent, options)];
}

if (!isMainThread && (workerData as Partial<MonitorWorkerData> | null)?.heddleMonitor === true) {
  await run(workerData as MonitorWorkerData);
}
