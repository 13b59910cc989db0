import { HeddleError } from '../../core/base/errors.ts';
import type { Stream } from '../../core/contract/stream.ts';
import type { RpcOutcome } from '../rpc/call.ts';
import { protocolOf, type RpcEngine, type RpcEngines } from '../rpc/engine.ts';
import type { IncomingCall } from '../rpc/messages.ts';
import type { TranscodeConfig } from './config.ts';
import { addKnown, traceFields } from './fields.ts';
import { errorIn, jsonOf, parseJson } from './json.ts';

const maxMessageChars = 2000;

/** A call that waits for its HTTP answer. */
export interface PendingCall {
  readonly incoming: IncomingCall;
  readonly engine: RpcEngine;
}

/** Calls of Bolt and Dubbo as HTTP with JSON, and the HTTP answer as the protocol's. */
export class ToHttp {
  readonly #engines: RpcEngines;
  readonly #config: TranscodeConfig;

  constructor(engines: RpcEngines, config: TranscodeConfig) {
    this.#engines = engines;
    this.#config = config;
  }

  /** Null: no call of these protocols, it passes as it is. @throws HeddleError ERR_RPC_VALUE, ERR_PEER_MISSING */
  read(s: Stream, body: Buffer): PendingCall | null {
    const protocol = protocolOf(s.req);
    if (protocol === null) return null;
    const engine = this.#engines.get(protocol);
    return { incoming: engine.messages.decodeRequest(s.req, body), engine };
  }

  /** Puts HTTP in the place of the call; returns its body. */
  replaceRequest(s: Stream, { incoming }: PendingCall): Buffer {
    const { service, version, group, method, args, attachments } = incoming.request;
    const body = Buffer.from(jsonOf(args));
    const head = s.req;
    const { oneWay, timeoutMs, authority } = head;
    head.reset();
    head.methodText = 'POST';
    head.pathText = `${this.#config.pathPrefix}/${encodeURIComponent(service)}/${encodeURIComponent(method)}`;
    head.authorityText = authority.replace(/:.*$/s, '');
    // Nobody answers a one-way call, whatever HTTP answers.
    head.oneWay = oneWay;
    head.timeoutMs = timeoutMs;
    head.contentLength = body.length;
    head.add('content-type', 'application/json');
    head.add('content-length', String(body.length));
    addKnown(head, ['x-rpc-version', 'x-rpc-group'], { 'x-rpc-version': version, 'x-rpc-group': group });
    addKnown(head, [...traceFields, ...this.#config.headers], attachments);
    s.requestOwned = true;
    s.requestIdField = s.requestIdField < 0 ? -1 : head.find('x-request-id');
    s.traceField = s.traceField < 0 ? -1 : head.find('traceparent');
    return body;
  }

  /** Puts the protocol's answer in the place of HTTP's; returns its body bytes. */
  replaceResponse(s: Stream, { incoming, engine }: PendingCall, body: Buffer): Buffer {
    const frame = this.#frame(s, incoming, engine, body);
    s.res.reset();
    engine.readResponse(s.res, frame);
    s.responseOwned = true;
    return frame.subarray(s.res.bodyStart, s.res.bodyEnd);
  }

  #frame(s: Stream, incoming: IncomingCall, engine: RpcEngine, body: Buffer): Buffer {
    try {
      return incoming.answer(this.#outcome(s, engine, body));
    } catch (thrown) {
      const { message } = HeddleError.from(thrown, 'ERR_RPC_VALUE');
      return incoming.answer({ kind: 'failure', status: engine.messages.statusFor(502), message });
    }
  }

  #outcome(s: Stream, engine: RpcEngine, body: Buffer): RpcOutcome {
    const head = s.res;
    const attachments: Record<string, string> = {};
    for (const name of this.#config.responseHeaders) {
      const value = head.get(name);
      if (value !== null) attachments[name] = value;
    }
    const isJson = /\bjson\b/.test(head.get('content-type') ?? '');
    const value = isJson && body.length > 0 ? parseJson(body) : undefined;
    if (head.status >= 200 && head.status < 300) {
      const text = body.length === 0 ? null : body.toString('utf8');
      return { kind: 'value', value: value === undefined ? text : value, attachments };
    }
    const error = errorIn(value);
    if (error !== null) return { kind: 'exception', exception: { ...error, stack: '' }, attachments };
    const text = body.toString('utf8', 0, maxMessageChars).trim();
    const message = `HTTP status ${head.status}${text === '' ? '' : `: ${text}`}`;
    return { kind: 'failure', status: engine.messages.statusFor(head.status), message };
  }
}
