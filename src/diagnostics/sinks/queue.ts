import { messageOf } from '../../core/base/errors.ts';
import type { Capture, Sink } from '../../core/contract/sink.ts';
import type { SinkConfig } from './config.ts';

/** As holmes: 32 captures wait, one more is dropped with a count. */
const maxWaiting = 32;
const deliverTimeoutMs = 30_000;

/** Delivers captures one after the other, away from the rules; a slow or failing sink costs captures, nothing else. */
export class SinkQueue {
  readonly #configs: readonly SinkConfig[];
  readonly #service: string;
  #sinks: readonly Sink[] | undefined;
  readonly #tell: (problem: string) => void;
  readonly #stop = new AbortController();
  readonly #counts = { sinkDelivered: 0, sinkDropped: 0, sinkFailed: 0 };
  #waiting: Capture[] = [];
  #running: Promise<void> | undefined;

  constructor(configs: readonly SinkConfig[], service: string, tell: (problem: string) => void) {
    this.#configs = configs;
    this.#service = service;
    this.#tell = tell;
  }

  push(capture: Capture): void {
    if (this.#configs.length === 0 || this.#stop.signal.aborted) return;
    if (this.#waiting.length >= maxWaiting) {
      this.#counts.sinkDropped++;
      return;
    }
    this.#waiting.push(capture);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  counters(): Readonly<Record<string, number>> {
    return this.#counts;
  }

  /** Breaks off what is being delivered and drops the rest. */
  async close(): Promise<void> {
    this.#counts.sinkDropped += this.#waiting.length;
    this.#waiting = [];
    this.#stop.abort();
    await this.#running;
    for (const sink of this.#sinks ?? []) await sink.dispose?.();
  }

  async #run(): Promise<void> {
    const sinks = await this.#open();
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const capture = next;
      await Promise.all(sinks.map((sink) => this.#deliver(sink, capture)));
    }
  }

  /** Loaded with the first capture: an idle monitor pays nothing for them. */
  async #open(): Promise<readonly Sink[]> {
    const { createSink } = await import('./create.ts');
    this.#sinks ??= this.#configs.map((config) => createSink(config, this.#service));
    return this.#sinks;
  }

  async #deliver(sink: Sink, capture: Capture): Promise<void> {
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(deliverTimeoutMs)]);
    try {
      await sink.deliver(capture, signal);
      this.#counts.sinkDelivered++;
    } catch (error) {
      this.#counts.sinkFailed++;
      this.#tell(`sink ${sink.name}: ${messageOf(error)}`);
    }
  }
}
