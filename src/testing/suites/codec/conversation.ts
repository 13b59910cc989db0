import type { ClientCodec, Codec, ServerCodec } from '../../../core/contract/codec.ts';
import type { ByteEngine } from '../../../core/contract/wire.ts';
import { CodecBench, fakeCodecContext } from '../../codec-bench.ts';
import { bodyOf, type CodecSamples, type ExchangeSample, type MessageSample } from '../../codec-samples.ts';
import { FakeClientOwner, FakeServerOwner } from '../../fake-owners.ts';
import { MemoryLink, type MemoryLinkOptions } from '../../memory-link.ts';
import { type Exchange, type RecordedMessage, RecordingSink } from '../../recording-sink.ts';
import type { SuiteAssertions } from '../suite-test.ts';

/** What the parts of the codec suite work on. */
export interface Subject {
  readonly codec: Codec;
  readonly samples: CodecSamples;
}

/** The bytes of each request and of its answer, as the codec itself writes them. */
export interface Transcript {
  readonly requests: readonly Buffer[];
  readonly responses: readonly Buffer[];
}

/** Sends every sample, one after the other, and answers it. Returns the exchanges of the client side. */
export function converse(bench: CodecBench, samples: readonly ExchangeSample[]): Exchange[] {
  bench.answerInOrder(samples);
  return samples.map((sample) => {
    const exchange = bench.send(sample);
    bench.settle();
    return exchange;
  });
}

export function transcriptOf({ codec, samples }: Subject): Transcript {
  const bench = new CodecBench(codec, samples);
  bench.answerInOrder();
  const requests: Buffer[] = [];
  const responses: Buffer[] = [];
  let asked = 0;
  let answered = 0;
  for (const sample of samples.exchanges) {
    bench.send(sample);
    bench.settle();
    const allAsked = bench.link.sentBy('dialled');
    const allAnswered = bench.link.sentBy('accepted');
    requests.push(allAsked.subarray(asked));
    responses.push(allAnswered.subarray(answered));
    asked = allAsked.length;
    answered = allAnswered.length;
  }
  return { requests, responses };
}

/** Takes whatever comes and does nothing. */
const swallow: ByteEngine = {
  onBytes: () => {},
  onDrain: () => {},
  onEnd: () => {},
  onClose: () => {},
};

/** A server codec whose other end is a test that writes raw bytes. Answers in the order of the samples. */
export class RawToServer {
  readonly link: MemoryLink;
  readonly sink = new RecordingSink();
  readonly owner: FakeServerOwner;
  readonly context = fakeCodecContext(this.sink);
  server: ServerCodec;

  constructor(subject: Subject, options: MemoryLinkOptions = {}) {
    const { codec, samples } = subject;
    this.link = new MemoryLink(options);
    this.link.dialled.attach(swallow);
    this.owner = new FakeServerOwner(samples.limits);
    this.server = codec.server(this.link.accepted, this.context, this.owner, samples.config);
    const answering = new CodecBench(codec, samples);
    let next = 0;
    this.sink.onRequest = (exchange) => {
      const sample = samples.exchanges[next++];
      if (sample !== undefined) answering.answer(exchange, sample);
      this.sink.finish(exchange);
    };
  }

  feed(...pieces: readonly Buffer[]): void {
    for (const piece of pieces) {
      this.link.dialled.write(piece, 0, piece.length);
      this.settle();
    }
  }

  settle(): void {
    do this.link.settle();
    while (this.context.flush());
  }

  get requests(): (RecordedMessage | null)[] {
    return this.sink.exchanges.map((exchange) => exchange.request);
  }

  get completeRequests(): number {
    return this.requests.filter((request) => request?.isComplete).length;
  }
}

/** A client codec whose other end is a test that writes raw bytes. */
export class RawToClient {
  readonly link: MemoryLink;
  readonly sink = new RecordingSink();
  readonly owner = new FakeClientOwner();
  readonly context = fakeCodecContext(this.sink);
  client: ClientCodec;
  readonly #bench: CodecBench;

  constructor(subject: Subject, options: MemoryLinkOptions = {}) {
    const { codec, samples } = subject;
    this.link = new MemoryLink(options);
    this.link.accepted.attach(swallow);
    this.client = codec.client(this.link.dialled, this.context, this.owner, samples.config);
    this.#bench = new CodecBench(codec, samples);
  }

  /** Begins a stream and sends the request of `sample` into the void. */
  ask(sample: ExchangeSample): Exchange {
    const exchange = this.sink.begin();
    this.client.bind(exchange.stream);
    this.#bench.sendRequest(exchange, sample);
    this.settle();
    return exchange;
  }

  feed(...pieces: readonly Buffer[]): void {
    for (const piece of pieces) {
      this.link.accepted.write(piece, 0, piece.length);
      this.settle();
    }
  }

  settle(): void {
    do this.link.settle();
    while (this.context.flush());
  }
}

/** Asserts that `got` says what `sample` says; headers that the codec adds are its own affair. */
export function assertMessage(
  t: SuiteAssertions,
  got: RecordedMessage | null,
  sample: MessageSample,
  title: string,
): void {
  t.true(got?.isComplete, `${title}: arrived completely`);
  if (got === null) return;
  const headers = sample.headers ?? {};
  for (const name of Object.keys(headers)) {
    t.is(got.headers[name.toLowerCase()], headers[name], `${title}: header ${name}`);
  }
  t.deepEqual(got.body.toString('latin1'), bodyOf(sample).toString('latin1'), `${title}: body`);
  t.deepEqual(got.trailers, sample.trailers ?? null, `${title}: trailers`);
}

export function assertExchange(
  t: SuiteAssertions,
  server: Exchange,
  client: Exchange,
  sample: ExchangeSample,
): void {
  const { request, response, title } = sample;
  assertMessage(t, server.request, request, `${title}, request`);
  t.is(server.request?.method, request.method, `${title}: method`);
  t.is(server.request?.path, request.path, `${title}: path`);
  t.is(server.request?.authority, request.authority, `${title}: authority`);
  assertMessage(t, client.response, response, `${title}, response`);
  t.is(client.response?.status, response.status, `${title}: status`);
  t.deepEqual(
    client.informational.map((each) => each.status),
    (sample.informational ?? []).map((each) => each.status),
    `${title}: informational`,
  );
  t.deepEqual(client.resets, [], `${title}: no reset`);
}

export function assertAll(t: SuiteAssertions, bench: CodecBench, samples: readonly ExchangeSample[]): void {
  t.deepEqual(bench.serverSink.offences, []);
  t.deepEqual(bench.clientSink.offences, []);
  t.is(bench.serverSink.exchanges.length, samples.length);
  samples.forEach((sample, i) => {
    const server = bench.serverSink.exchanges[i];
    const client = bench.clientSink.exchanges[i];
    if (server !== undefined && client !== undefined) assertExchange(t, server, client, sample);
  });
}
