import { Code } from '../../core/base/codes.ts';
import { messageOf } from '../../core/base/errors.ts';
import type { HeadView } from '../../core/base/head-view.ts';
import type { Logger } from '../../core/contract/logger.ts';
import type { Stream } from '../../core/contract/stream.ts';
import type { StreamEnd } from '../../core/contract/stream-end.ts';
import type { RpcOutcome, RpcRequest } from '../../transport/rpc/call.ts';
import { protocolOf, type RpcEngine, type RpcEngines } from '../../transport/rpc/engine.ts';
import { exceptionOf } from '../../transport/rpc/exception.ts';
import { genericCallOf } from '../../transport/rpc/generic.ts';
import type { IncomingCall } from '../../transport/rpc/messages.ts';
import type { RpcServiceCall, ServiceTable } from './service-table.ts';

/** What all streams of one table share. */
export interface ServiceContext {
  readonly engines: RpcEngines;
  readonly table: ServiceTable;
  readonly logger: Logger;
}

const nothing: Buffer = Buffer.alloc(0);

/** One call on its way through a service of this process: read, run, answered in the caller's own dialect. */
export class ServiceEnd implements StreamEnd {
  readonly #context: ServiceContext;
  readonly #onDone: (end: ServiceEnd) => void;
  readonly #abort = new AbortController();
  #chunks: Buffer[] = [];
  #stream: Stream | null = null;
  #gen = 0;

  constructor(context: ServiceContext, onDone: (end: ServiceEnd) => void) {
    this.#context = context;
    this.#onDone = onDone;
  }

  sendInformational(): void {}

  sendHead(s: Stream, _head: HeadView, buf: Buffer | null, a: number, b: number, end: boolean): boolean {
    this.#stream = s;
    this.#gen = s.gen;
    return this.sendData(s, buf ?? nothing, buf === null ? 0 : a, buf === null ? 0 : b, end);
  }

  sendData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): boolean {
    if (b > a) this.#chunks.push(s.requestOwned ? buf.subarray(a, b) : Buffer.from(buf.subarray(a, b)));
    // Never within the caller's own call: an answer that comes at once would find it half done.
    if (end) queueMicrotask(() => void this.#run());
    return true;
  }

  sendTrailers(s: Stream): void {
    this.sendData(s, nothing, 0, 0, true);
  }

  reset(): void {
    this.#release();
    this.#abort.abort();
  }

  pauseRead(): void {}

  resumeRead(): void {}

  /** The table is closed. */
  fail(code: number): void {
    const s = this.#stream;
    if (s === null || s.gen !== this.#gen) return;
    this.#release();
    this.#abort.abort();
    s.core.upstreamReset(s, code);
  }

  async #run(): Promise<void> {
    const s = this.#stream;
    if (s === null || s.gen !== this.#gen) return;
    const protocol = protocolOf(s.req);
    if (protocol === null) {
      this.#answerForeign(s);
      return;
    }
    try {
      await this.#answer(s, this.#context.engines.get(protocol));
    } catch (thrown) {
      this.#context.logger.error('a call could not be answered', { error: messageOf(thrown) });
      this.fail(Code.upstreamReset);
    }
  }

  async #answer(s: Stream, engine: RpcEngine): Promise<void> {
    const chunks = this.#chunks;
    const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    this.#chunks = [];
    const { messages } = engine;
    let incoming: IncomingCall;
    try {
      incoming = messages.decodeRequest(s.req, body);
    } catch (thrown) {
      this.#send(engine, messages.refuse(s.req, messages.statusFor(400), messageOf(thrown)));
      return;
    }
    const outcome = await this.#invoke(incoming.request, engine, s);
    if (this.#stream === null || s.gen !== this.#gen) return;
    this.#send(engine, this.#frame(incoming, engine, s, outcome));
  }

  async #invoke(given: RpcRequest, engine: RpcEngine, s: Stream): Promise<RpcOutcome> {
    const request = genericCallOf(given);
    if (request.method === '$echo') return { kind: 'value', value: request.args[0], attachments: {} };
    const found = this.#context.table.find(request);
    if (typeof found === 'string') {
      return { kind: 'failure', status: engine.messages.statusFor(404), message: found };
    }
    const responseAttachments: Record<string, string> = {};
    try {
      const value = await found.run(request.args, this.#callOf(request, responseAttachments, s));
      const isPlain = found.returns === '' || value === null || value === undefined;
      const result = isPlain ? value : { $class: found.returns, $: value };
      return { kind: 'value', value: result, attachments: responseAttachments };
    } catch (thrown) {
      return { kind: 'exception', exception: exceptionOf(thrown), attachments: responseAttachments };
    }
  }

  #callOf(
    { service, version, group, method, argTypes, attachments }: RpcRequest,
    responseAttachments: Record<string, string>,
    s: Stream,
  ): RpcServiceCall {
    const peerAddress = s.peer?.address ?? '';
    const { signal } = this.#abort;
    return {
      service,
      version,
      group,
      method,
      argTypes,
      attachments,
      responseAttachments,
      peerAddress,
      signal,
    };
  }

  /** An answer that cannot be written is a failure of ours, and said so in the log. */
  #frame(incoming: IncomingCall, engine: RpcEngine, s: Stream, outcome: RpcOutcome): Buffer {
    try {
      return incoming.answer(outcome);
    } catch (thrown) {
      const { service, rpcMethod: method } = s.req;
      this.#context.logger.error('a result cannot be sent', { service, method, error: messageOf(thrown) });
      return engine.messages.refuse(s.req, engine.messages.statusFor(500), messageOf(thrown));
    }
  }

  #send(engine: RpcEngine, frame: Buffer): void {
    const s = this.#stream as Stream;
    s.res.reset();
    engine.readResponse(s.res, frame);
    s.responseOwned = true;
    this.#release();
    const { bodyStart, bodyEnd } = s.res;
    s.core.responseHead(s, bodyEnd > bodyStart ? frame : null, bodyStart, bodyEnd, true);
  }

  /** A request of another protocol, HTTP for one: a transcode filter belongs before this cluster. */
  #answerForeign(s: Stream): void {
    s.res.reset();
    s.res.status = 415;
    s.res.contentLength = 0;
    s.res.add('content-length', '0');
    this.#release();
    s.core.responseHead(s, null, 0, 0, true);
  }

  #release(): void {
    this.#stream = null;
    this.#onDone(this);
  }
}
