import { BufferBudget, WriteSlab } from '../core/base/buffers.ts';
import { RpcNames } from '../core/base/rpc-names.ts';
import { TextCache } from '../core/base/text-cache.ts';
import type { ClientCodec, Codec, CodecContext, Flushable, ServerCodec } from '../core/contract/codec.ts';
import type { StreamSink } from '../core/contract/stream-end.ts';
import { TurnWrites } from '../core/contract/turn-writes.ts';
import { MetricsTable } from '../core/observe/metrics.ts';
import {
  bodyOf,
  type CodecSamples,
  type ExchangeSample,
  fillRequest,
  fillResponse,
  fillTrailers,
} from './codec-samples.ts';
import { createFakeTime } from './fake-clock.ts';
import { FakeClientOwner, FakeServerOwner } from './fake-owners.ts';
import { MemoryLink, type MemoryLinkOptions } from './memory-link.ts';
import { type Exchange, RecordingSink } from './recording-sink.ts';

/** A CodecContext on fake time whose flush list is run by hand. */
export function fakeCodecContext(
  sink: StreamSink,
  time = createFakeTime(),
): CodecContext & { flush(): boolean } {
  let dirty: Flushable[] = [];
  const flushLater = (engine: Flushable): void => void dirty.push(engine);
  return {
    sink,
    clock: time.clock,
    wheel: time.wheel,
    slab: new WriteSlab(),
    writes: new TurnWrites(flushLater),
    texts: new TextCache(),
    names: new RpcNames(),
    budget: new BufferBudget(256 * 1024 * 1024),
    metrics: new MetricsTable(),
    flushLater,
    flush: () => {
      const batch = dirty;
      dirty = [];
      for (const each of batch) each.flush();
      return batch.length > 0;
    },
  };
}

/** A client and a server of one codec, joined by a memory link, with a recorder on each side. */
export class CodecBench {
  readonly time = createFakeTime();
  readonly link: MemoryLink;
  readonly serverSink = new RecordingSink();
  readonly clientSink = new RecordingSink();
  readonly serverOwner: FakeServerOwner;
  readonly clientOwner = new FakeClientOwner();
  readonly serverContext = fakeCodecContext(this.serverSink, this.time);
  readonly clientContext = fakeCodecContext(this.clientSink, this.time);
  server: ServerCodec;
  client: ClientCodec;
  readonly #codec: Codec<unknown>;
  readonly #samples: CodecSamples;

  constructor(codec: Codec, samples: CodecSamples, options: MemoryLinkOptions = {}) {
    this.#codec = codec;
    this.#samples = samples;
    this.link = new MemoryLink(options);
    this.serverOwner = new FakeServerOwner(samples.limits);
    this.server = this.#codec.server(
      this.link.accepted,
      this.serverContext,
      this.serverOwner,
      samples.config,
    );
    this.client = this.#codec.client(this.link.dialled, this.clientContext, this.clientOwner, samples.config);
  }

  /** Answers every complete request with the response of the sample of the same number. */
  answerInOrder(samples: readonly ExchangeSample[] = this.#samples.exchanges): void {
    let next = 0;
    this.serverSink.onRequest = (exchange) => this.answer(exchange, samples[next++] as ExchangeSample);
  }

  /** Begins a stream on the client and sends the request of `sample`. */
  send(sample: ExchangeSample): Exchange {
    const exchange = this.begin();
    this.sendRequest(exchange, sample);
    return exchange;
  }

  begin(): Exchange {
    const exchange = this.clientSink.begin();
    this.client.bind(exchange.stream);
    return exchange;
  }

  sendRequest(exchange: Exchange, sample: ExchangeSample): void {
    const s = exchange.stream;
    fillRequest(s.req, sample.request);
    const up = s.up ?? this.client;
    sendMessage(sample.request, (buf, length, end) => up.sendHead(s, s.req, buf, 0, length, end), {
      data: (buf, end) => void up.sendData(s, buf, 0, buf.length, end),
      trailers: (trailers) => up.sendTrailers(s, fillTrailers(trailers)),
    });
  }

  answer(exchange: Exchange, sample: ExchangeSample): void {
    const s = exchange.stream;
    const down = s.down ?? this.server;
    for (const each of sample.informational ?? []) {
      s.res.reset();
      fillResponse(s.res, each);
      down.sendInformational(s, s.res);
    }
    s.res.reset();
    fillResponse(s.res, sample.response);
    sendMessage(sample.response, (buf, length, end) => down.sendHead(s, s.res, buf, 0, length, end), {
      data: (buf, end) => void down.sendData(s, buf, 0, buf.length, end),
      trailers: (trailers) => down.sendTrailers(s, fillTrailers(trailers)),
    });
    this.serverSink.finish(exchange);
  }

  /** Turns link and flush lists until nothing moves. */
  settle(): void {
    for (let isBusy = true; isBusy; ) {
      this.link.settle();
      const server = this.serverContext.flush();
      const client = this.clientContext.flush();
      isBusy = server || client || this.link.turn();
    }
  }

  /** Moves the server side to a fresh instance of codec and wire; false when it cannot be moved now. */
  moveServer(): boolean {
    const state = this.server.exportState();
    if (state === null) return false;
    const { wire, unread } = this.link.move('accepted');
    this.server = this.#codec.server(wire, this.serverContext, this.serverOwner, this.#samples.config);
    this.server.importState(state);
    wire.port.putBack(unread);
    return true;
  }

  moveClient(): boolean {
    const state = this.client.exportState();
    if (state === null) return false;
    const { wire, unread } = this.link.move('dialled');
    this.client = this.#codec.client(wire, this.clientContext, this.clientOwner, this.#samples.config);
    this.client.importState(state);
    wire.port.putBack(unread);
    return true;
  }
}

interface Rest {
  data(buf: Buffer, end: boolean): void;
  trailers(trailers: Readonly<Record<string, string>>): void;
}

/** Head with the first chunk in one call, then the other chunks, then trailers. Each chunk is overwritten once sent. */
function sendMessage(
  sample: { body?: readonly (string | Buffer)[]; trailers?: Readonly<Record<string, string>> },
  head: (buf: Buffer | null, length: number, end: boolean) => void,
  rest: Rest,
): void {
  const chunks = bodyOf(sample).length === 0 ? [] : (sample.body ?? []).map((chunk) => Buffer.from(chunk));
  const trailers = sample.trailers;
  const isLast = (i: number): boolean => i >= chunks.length - 1 && trailers === undefined;
  const first = chunks[0] ?? null;
  head(first, first?.length ?? 0, isLast(0));
  first?.fill(0xdd);
  for (let i = 1; i < chunks.length; i++) {
    const chunk = chunks[i] as Buffer;
    rest.data(chunk, isLast(i));
    chunk.fill(0xdd);
  }
  if (trailers !== undefined) rest.trailers(trailers);
}
