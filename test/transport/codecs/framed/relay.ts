import * as v from 'valibot';
import { Code } from '../../../../src/core/base/codes.ts';
import type { ClientCodec, Codec, CodecContext, ServerCodec } from '../../../../src/core/contract/codec.ts';
import type { Stream } from '../../../../src/core/contract/stream.ts';
import {
  createFakeTime,
  FakeClientOwner,
  FakeServerOwner,
  fakeCodecContext,
  RecordingSink,
} from '../../../../src/testing/index.ts';
import { FramedConfig } from '../../../../src/transport/codecs/framed/index.ts';
import { FakeWire } from '../http1/harness.ts';

/** The least of a proxy: a server and a client of one framed codec joined; `edit` and `editAnswer` stand for filters. */
export class FramedRelay extends RecordingSink {
  readonly time = createFakeTime();
  readonly down: FakeWire = new FakeWire();
  readonly up: FakeWire = new FakeWire();
  readonly serverOwner: FakeServerOwner = new FakeServerOwner();
  readonly clientOwner: FakeClientOwner = new FakeClientOwner();
  readonly context: CodecContext & { flush(): boolean };
  readonly server: ServerCodec;
  readonly client: ClientCodec;
  readonly seen: { service: string; method: string; path: string; oneWay: boolean; status: number }[] = [];
  edit: (s: Stream) => void = () => {};
  editAnswer: (s: Stream) => void = () => {};

  constructor(codec: Codec<FramedConfig>, config: Partial<FramedConfig> = {}) {
    super();
    this.context = fakeCodecContext(this, this.time);
    const filled = v.parse(FramedConfig, config);
    this.server = codec.server(this.down, this.context, this.serverOwner, filled);
    this.client = codec.client(this.up, this.context, this.clientOwner, filled);
  }

  override requestHead(s: Stream, buf: Buffer | null, a: number, b: number, end: boolean): void {
    const { service, rpcMethod: method, path, oneWay } = s.req;
    this.seen.push({ service, method, path, oneWay, status: 0 });
    s.tries = 1;
    this.client.bind(s);
    this.edit(s);
    this.client.sendHead(s, s.req, buf, a, b, end);
  }

  override requestData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): void {
    this.client.sendData(s, buf, a, b, end);
  }

  override responseHead(s: Stream, buf: Buffer | null, a: number, b: number, end: boolean): void {
    const last = this.seen.at(-1);
    if (last !== undefined) last.status = s.res.status;
    this.editAnswer(s);
    this.server.sendHead(s, s.res, buf, a, b, end);
    if (end) s.recycle();
  }

  override responseData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): void {
    this.server.sendData(s, buf, a, b, end);
    if (end) s.recycle();
  }

  override upstreamReset(s: Stream, code: number): void {
    this.server.reset(s, code);
    s.recycle();
  }

  override downstreamReset(s: Stream): void {
    this.client.reset(s, Code.downstreamClosed);
    s.recycle();
  }

  /** What leaves upstream for these bytes from the client. */
  forward(bytes: Buffer, pieceBytes?: number): Buffer {
    return this.#pass(this.down, this.up, bytes, pieceBytes);
  }

  /** What the client gets for these bytes from upstream. */
  answer(bytes: Buffer, pieceBytes?: number): Buffer {
    return this.#pass(this.up, this.down, bytes, pieceBytes);
  }

  #pass(from: FakeWire, to: FakeWire, bytes: Buffer, pieceBytes?: number): Buffer {
    to.writes.length = 0;
    from.send(bytes, pieceBytes);
    this.context.flush();
    return Buffer.concat(to.writes);
  }
}
