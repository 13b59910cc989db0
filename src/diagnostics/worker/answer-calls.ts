import type { MessagePort } from 'node:worker_threads';
import { HeddleError } from '../../core/base/errors.ts';
import type { ManualCapture, MonitorControl } from '../contract.ts';
import type { ControlCall, WorkerMessage } from './worker-data.ts';

/** Serves `MonitorControl` to the application's thread over a message port. */
export function answerCalls(
  port: MessagePort,
  control: MonitorControl,
  send: (message: WorkerMessage) => void,
): void {
  port.on('message', (call: ControlCall) => {
    if (call.type !== 'call') return;
    const { id } = call;
    Promise.resolve()
      .then(() => invoke(control, call))
      .then(
        (value) => send({ type: 'answer', id, value }),
        (thrown: unknown) => {
          const { code, message } = HeddleError.from(thrown, 'ERR_MONITOR_CAPTURE');
          send({ type: 'failure', id, code, message });
        },
      );
  });
}

function invoke(control: MonitorControl, { method, argument }: ControlCall): unknown {
  switch (method) {
    case 'status':
      return control.status();
    case 'signals':
      return control.signals();
    case 'captures':
      return control.captures();
    case 'capture':
      return control.capture(argument as ManualCapture);
    case 'setRules':
      return control.setRules(argument);
    case 'pause':
      return control.pause();
    case 'resume':
      return control.resume();
    case 'stop':
      return control.stop();
  }
}
