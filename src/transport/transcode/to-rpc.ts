import { messageOf } from '../../core/base/errors.ts';
import type { HeadView } from '../../core/base/head-view.ts';
import type { Stream } from '../../core/contract/stream.ts';
import type { RpcOutcome, RpcRequest } from '../rpc/call.ts';
import type { RpcEngine } from '../rpc/engine.ts';
import { genericRequestOf } from '../rpc/generic.ts';
import { inferType } from '../rpc/java-types.ts';
import { statusNameOf } from '../rpc/status.ts';
import { type JsonCall, readJsonCall } from './call.ts';
import type { TranscodeConfig } from './config.ts';
import { addKnown, traceFields } from './fields.ts';
import { type JsonError, jsonOf } from './json.ts';

/** What an HTTP request becomes: a frame, or the status and words that refuse it. */
export type RequestFrame = Buffer | { readonly status: number; readonly message: string };

/** HTTP with JSON as a call of Bolt or Dubbo, and the answer as HTTP with JSON. */
export class ToRpc {
  readonly engine: RpcEngine;
  readonly #config: TranscodeConfig;

  constructor(engine: RpcEngine, config: TranscodeConfig) {
    this.engine = engine;
    this.#config = config;
  }

  /** @param body the whole of it */
  frameOf(head: HeadView, body: Buffer): RequestFrame {
    if (head.method !== 'POST') return { status: 405, message: 'POST is needed' };
    const names = this.#namesIn(head);
    if (names === null) return { status: 404, message: 'the path ends in /service/method' };
    const call = readJsonCall(body);
    if (typeof call === 'string') return { status: 400, message: call };
    try {
      return this.engine.messages.encodeRequest(this.#request(head, names, call));
    } catch (thrown) {
      return { status: 400, message: messageOf(thrown) };
    }
  }

  /** Puts the call in the place of the request. */
  replaceRequest(s: Stream, frame: Buffer): void {
    const requestIdName = s.requestIdField < 0 ? null : 'x-request-id';
    const wasTraced = s.traceField >= 0;
    s.req.reset();
    this.engine.readRequest(s.req, frame);
    s.requestOwned = true;
    s.requestIdField = requestIdName === null ? -1 : s.req.find(requestIdName);
    s.traceField = wasTraced ? s.req.find('traceparent') : -1;
  }

  /** Puts HTTP in the place of the answer; returns its body. */
  replaceResponse(s: Stream, body: Buffer): Buffer {
    const { status } = s.res;
    let outcome: RpcOutcome;
    try {
      outcome = this.engine.messages.decodeResponse(s.res, body);
    } catch (thrown) {
      return this.#answer(s, 502, errorBody('ERR_RPC_VALUE', messageOf(thrown)));
    }
    if (outcome.kind === 'failure') {
      const name = statusNameOf(this.engine.messages.protocol, outcome.status);
      const message = outcome.message === '' ? name : outcome.message;
      // An error within an answer that the protocol calls a success (SOFARPC's isError).
      return this.#answer(
        s,
        status < 400 ? 500 : status,
        errorBody('ERR_RPC_REFUSED', message, { status: name }),
      );
    }
    if (outcome.kind === 'exception') {
      const { className, message } = outcome.exception;
      return this.#answer(
        s,
        500,
        errorBody('ERR_RPC_EXCEPTION', message, { class: className }),
        outcome.attachments,
      );
    }
    try {
      return this.#answer(s, 200, jsonOf(outcome.value), outcome.attachments);
    } catch (thrown) {
      return this.#answer(s, 502, errorBody('ERR_RPC_VALUE', messageOf(thrown)));
    }
  }

  #answer(
    s: Stream,
    status: number,
    json: string,
    attachments: Readonly<Record<string, string>> = {},
  ): Buffer {
    const head = s.res;
    head.reset();
    head.status = status;
    head.add('content-type', 'application/json');
    addKnown(head, this.#config.responseHeaders, attachments);
    s.responseOwned = true;
    return Buffer.from(json);
  }

  #namesIn(head: HeadView): { service: string; method: string } | null {
    const path = head.path.split('?', 1)[0] ?? '';
    const segments = path.split('/').filter((each) => each !== '');
    const method = this.#config.method ?? segments.pop();
    const service = this.#config.service ?? segments.pop();
    if (method === undefined || service === undefined) return null;
    try {
      return { service: decodeURIComponent(service), method: decodeURIComponent(method) };
    } catch {
      return null;
    }
  }

  #request(head: HeadView, names: { service: string; method: string }, call: JsonCall): RpcRequest {
    const { version, group, argTypes, headers, generic, to } = this.#config;
    const known =
      call.argTypes ?? (Object.hasOwn(argTypes, names.method) ? argTypes[names.method] : null) ?? null;
    const request: RpcRequest = {
      ...names,
      version,
      group,
      args: call.args,
      argTypes: known ?? call.args.map(inferType),
      attachments: pickFields(head, [...traceFields, ...headers]),
      timeoutMs: 0,
      isOneway: false,
    };
    if (request.argTypes.length !== call.args.length) {
      throw new Error(`${names.method} has ${request.argTypes.length} parameters, not ${call.args.length}`);
    }
    return to === 'dubbo' && generic && known === null ? genericRequestOf(request, null) : request;
  }
}

function pickFields(head: HeadView, names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = head.get(name);
    if (value !== null) picked[name] = value;
  }
  return picked;
}

function errorBody(code: string, message: string, more: { class?: string; status?: string } = {}): string {
  const error: JsonError = { error: { code, ...more, message } };
  return JSON.stringify(error);
}
