import { connect, type Socket } from 'node:net';
import { HeddleError } from '../../core/base/errors.ts';
import type { SignalSample } from '../../core/contract/signal.ts';
import type { Capture } from '../../core/contract/sink.ts';
import type { ManualCapture, MonitorEvent, MonitorStatus } from '../contract.ts';
import type { AgentHello, ControlMessage } from './control.ts';
import { LineChannel } from './line-channel.ts';
import { readProcess } from './process-table.ts';

/** A running monitor in another process: `MonitorControl` with promises. */
export class RemoteControl {
  readonly hello: AgentHello;
  readonly #channel: LineChannel;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(reason: unknown): void }>();
  readonly #listeners = new Set<(event: MonitorEvent) => void>();
  readonly #closers = new Set<() => void>();
  #nextId = 1;
  #isClosed = false;

  private constructor(channel: LineChannel, hello: AgentHello) {
    this.#channel = channel;
    this.hello = hello;
    channel.onMessage((message) => this.#receive(message as ControlMessage));
    channel.onClose(() => this.#end());
  }

  /** Connects to a monitor's control socket. @throws HeddleError ERR_ATTACH_FAILED */
  static async connect(path: string, timeoutMs = 2000): Promise<RemoteControl> {
    return RemoteControl.over(connect(path), timeoutMs);
  }

  /** Speaks over a socket that an agent dialled: the first line is its hello. */
  static over(socket: Socket, timeoutMs = 2000): Promise<RemoteControl> {
    const channel = new LineChannel(socket);
    return new Promise((resolve, reject) => {
      const fail = (): void => {
        socket.destroy();
        reject(new HeddleError('ERR_ATTACH_FAILED', 'no monitor answers there'));
      };
      const timer = setTimeout(fail, timeoutMs);
      channel.onClose(() => {
        clearTimeout(timer);
        fail();
      });
      channel.onMessage((message) => {
        clearTimeout(timer);
        const { hello } = message as { hello?: AgentHello };
        if (hello === undefined) fail();
        else resolve(new RemoteControl(channel, hello));
      });
    });
  }

  status(): Promise<MonitorStatus> {
    return this.#call('status');
  }

  signals(): Promise<readonly SignalSample[]> {
    return this.#call('signals');
  }

  capture(request: ManualCapture): Promise<Capture> {
    return this.#call('capture', request);
  }

  captures(): Promise<readonly Capture[]> {
    return this.#call('captures');
  }

  setRules(rules: unknown): Promise<void> {
    return this.#call('setRules', rules);
  }

  pause(): Promise<void> {
    return this.#call('pause');
  }

  resume(): Promise<void> {
    return this.#call('resume');
  }

  /** Stops the monitor in that process; nothing of it is left there. */
  async stop(): Promise<void> {
    await this.#call('stop').catch((reason: unknown) => {
      // The worker ends with its sockets: no answer is an answer.
      if (!this.#isClosed) throw reason;
    });
  }

  /** Ends the connection, and with it the monitor as soon as nobody else is connected to it: for whoever put it in. */
  async leave(): Promise<void> {
    await this.#call('leave').catch((reason: unknown) => {
      if (!this.#isClosed) throw reason;
    });
    this.close();
  }

  async onEvent(listener: (event: MonitorEvent) => void): Promise<() => void> {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) await this.#call('subscribe');
    return () => this.#listeners.delete(listener);
  }

  onClose(closed: () => void): void {
    if (this.#isClosed) closed();
    else this.#closers.add(closed);
  }

  close(): void {
    this.#channel.close();
  }

  #call<Value>(method: string, argument?: unknown): Promise<Value> {
    if (this.#isClosed) return Promise.reject(this.#gone());
    const id = this.#nextId++;
    return new Promise<Value>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#channel.send({ id, method, argument });
    });
  }

  #receive(message: ControlMessage): void {
    if ('event' in message) {
      for (const listener of this.#listeners) listener(message.event as MonitorEvent);
      return;
    }
    if (!('id' in message)) return;
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ('failure' in message) waiting?.reject(new HeddleError(message.failure.code, message.failure.detail));
    else waiting?.resolve(message.value);
  }

  #end(): void {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.values()) reject(this.#gone());
    this.#waiting.clear();
    for (const closed of this.#closers) closed();
  }

  #gone(): HeddleError {
    const { pid, startTicks } = this.hello;
    const isRunning = readProcess(pid)?.startTicks === startTicks;
    const what = isRunning ? `the monitor of process ${pid} was stopped` : `process ${pid} has ended`;
    return new HeddleError('ERR_MONITOR_STOPPED', what);
  }
}
