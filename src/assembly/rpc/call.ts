import { Code } from '../../core/base/codes.ts';
import { HeddleError } from '../../core/base/errors.ts';
import type { HeadView } from '../../core/base/head-view.ts';
import type { Stream } from '../../core/contract/stream.ts';
import type { StreamEnd, StreamSink } from '../../core/contract/stream-end.ts';
import { callError } from '../../core/stream/call.ts';
import { noAttachments, type RpcOutcome } from '../../transport/rpc/call.ts';
import { protocolOf, type RpcEngine } from '../../transport/rpc/engine.ts';
import { outcomeError } from './errors.ts';

/** The answer to a call. */
export interface RpcResult {
  readonly value: unknown;
  /** Texts that came back beside the value. */
  readonly attachments: Readonly<Record<string, string>>;
}

/** The calling end of one call: collects the answer and settles the promise. */
export class RpcCall implements StreamEnd {
  readonly #engine: RpcEngine;
  readonly #resolve: (result: RpcResult) => void;
  readonly #reject: (error: unknown) => void;
  readonly #body: Buffer[] = [];
  #signal: AbortSignal | null = null;
  #onAbort: (() => void) | null = null;

  constructor(engine: RpcEngine, resolve: (result: RpcResult) => void, reject: (error: unknown) => void) {
    this.#engine = engine;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  abortWith(p: StreamSink, s: Stream, signal: AbortSignal): void {
    const gen = s.gen;
    this.#signal = signal;
    this.#onAbort = () => {
      if (s.gen !== gen) return;
      p.downstreamReset(s, Code.aborted);
      this.#fail(new HeddleError('ERR_REQUEST_ABORTED', 'the signal fired', { cause: signal.reason }));
    };
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  sendInformational(): void {}

  sendHead(s: Stream, _head: HeadView, buf: Buffer | null, a: number, b: number, end: boolean): boolean {
    if (s.isLocalReply && s.code !== Code.none) {
      this.#fail(callError(s));
      return true;
    }
    // The whole answer in one piece is read where it stands.
    if (end) this.#ended(s, buf === null ? nothing : buf.subarray(a, b));
    else if (buf !== null && b > a) this.#push(s, buf, a, b);
    return true;
  }

  sendData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): boolean {
    if (b > a) this.#push(s, buf, a, b);
    if (end) this.#ended(s, this.#body.length === 1 ? (this.#body[0] as Buffer) : Buffer.concat(this.#body));
    return true;
  }

  sendTrailers(s: Stream): void {
    this.sendData(s, nothing, 0, 0, true);
  }

  reset(s: Stream, code: number): void {
    this.#fail(callError(s, code));
  }

  pauseRead(): void {}

  resumeRead(): void {}

  #push(s: Stream, buf: Buffer, a: number, b: number): void {
    const view = buf.subarray(a, b);
    this.#body.push(s.responseOwned ? view : Buffer.from(view));
  }

  #ended(s: Stream, body: Buffer): void {
    this.#release();
    try {
      const outcome = this.#outcome(s, body);
      if (outcome.kind === 'value') this.#resolve(outcome);
      else this.#reject(outcomeError(outcome, s));
    } catch (thrown) {
      this.#reject(HeddleError.from(thrown, 'ERR_RPC_VALUE'));
    }
  }

  #outcome(s: Stream, body: Buffer): RpcOutcome {
    const head = s.res;
    const { protocol } = this.#engine.messages;
    // Whatever a service of this process gave: no answer is wanted.
    if (s.req.oneWay && !s.isLocalReply) return { kind: 'value', value: null, attachments: noAttachments };
    if (protocolOf(head) === protocol) return this.#engine.messages.decodeResponse(head, body);
    if (s.isLocalReply) return { kind: 'failure', status: head.status, message: body.toString().trim() };
    const name = s.cluster?.name ?? s.req.authority;
    throw new HeddleError('ERR_UPSTREAM_PROTOCOL', `cluster ${name} does not answer in ${protocol}`);
  }

  #fail(error: HeddleError): void {
    this.#release();
    this.#reject(error);
  }

  #release(): void {
    if (this.#onAbort !== null) this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#onAbort = null;
    this.#signal = null;
  }
}

const nothing: Buffer = Buffer.alloc(0);
