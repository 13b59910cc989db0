import * as v from 'valibot';
import type { HeadView } from '../../../../src/core/base/head-view.ts';
import type { Stream } from '../../../../src/core/contract/stream.ts';
import type { StreamEnd } from '../../../../src/core/contract/stream-end.ts';
import { Http1Client } from '../../../../src/transport/codecs/http1/client.ts';
import { Http1Config } from '../../../../src/transport/codecs/http1/config.ts';
import { Http1Server } from '../../../../src/transport/codecs/http1/server.ts';
import { createContext, FakeClientOwner, FakeServerOwner, FakeSink, FakeWire } from './harness.ts';

/** The least of a proxy: one server codec and one client codec joined, every event passed on at once. */
class RelaySink extends FakeSink {
  client: Http1Client | null = null;
  readonly live = new Set<Stream>();

  override requestHead(s: Stream, buf: Buffer | null, a: number, b: number, end: boolean): void {
    this.live.add(s);
    s.req.retain();
    (this.client as Http1Client).bind(s);
    s.up?.sendHead(s, s.req, buf, a, b, end);
  }

  override requestData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): void {
    s.up?.sendData(s, buf, a, b, end);
  }

  override requestTrailers(s: Stream, trailers: HeadView): void {
    s.up?.sendTrailers(s, trailers);
  }

  override responseInformational(s: Stream): void {
    s.down?.sendInformational(s, s.res);
  }

  override responseHead(s: Stream, buf: Buffer | null, a: number, b: number, end: boolean): void {
    s.down?.sendHead(s, s.res, buf, a, b, end);
    if (end) this.#finish(s);
  }

  override responseData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): void {
    s.down?.sendData(s, buf, a, b, end);
    if (end && !s.isTunnel) this.#finish(s);
  }

  override responseTrailers(s: Stream, trailers: HeadView): void {
    s.down?.sendTrailers(s, trailers);
    this.#finish(s);
  }

  override upstreamReset(s: Stream, code: number): void {
    s.down?.reset(s, code);
    this.#finish(s);
  }

  override downstreamReset(s: Stream, code: number): void {
    s.up?.reset(s, code);
    this.#finish(s);
  }

  override writable(s: Stream, end: StreamEnd): void {
    (end === s.up ? s.down : s.up)?.resumeRead(s);
  }

  #finish(s: Stream): void {
    this.live.delete(s);
    s.recycle();
  }
}

export interface Relay {
  readonly down: FakeWire;
  readonly up: FakeWire;
  readonly sink: FakeSink;
  readonly flush: () => void;
  readonly clientOwner: FakeClientOwner;
  readonly serverOwner: FakeServerOwner;
  readonly client: Http1Client;
  readonly server: Http1Server;
}

export function createRelay(config: v.InferInput<typeof Http1Config> = {}): Relay {
  const sink = new RelaySink();
  const { context, flush } = createContext(sink);
  const parsed = v.parse(Http1Config, config);
  const down = new FakeWire();
  const up = new FakeWire();
  up.ownsReads = false;
  const clientOwner = new FakeClientOwner();
  const serverOwner = new FakeServerOwner({});
  const client = new Http1Client(up, context, clientOwner, parsed);
  sink.client = client;
  const server = new Http1Server(down, context, serverOwner, parsed);
  return { down, up, sink, flush, clientOwner, serverOwner, client, server };
}
