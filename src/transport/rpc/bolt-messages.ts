import { HeddleError } from '../../core/base/errors.ts';
import type { HeadView } from '../../core/base/head-view.ts';
import { boltStatusOf } from '../codecs/bolt/status.ts';
import {
  type BoltDialect,
  boltRequestFrame,
  boltResponseFrame,
  dialectOf,
  isHessianCodec,
  serializationOf,
} from './bolt-frame.ts';
import type { RpcOutcome, RpcRequest } from './call.ts';
import { namesThrowable, readThrowable, throwableValue } from './exception.ts';
import { fieldsOf, flatten, nested } from './fields.ts';
import { PlainReader } from './from-java.ts';
import type { HessianDecoder, HessianLibrary } from './hessian-library.ts';
import { classNameOf } from './java-types.ts';
import type { IncomingCall, RpcMessages } from './messages.ts';
import { JavaConverter } from './to-java.ts';

const requestClass = 'com.alipay.sofa.rpc.core.request.SofaRequest';
const responseClass = 'com.alipay.sofa.rpc.core.response.SofaResponse';
const errorClass = 'com.alipay.remoting.rpc.exception.RpcServerException';
const stringArray = '[string';
/** Header keys that are facts of the call, not attachments. */
const ownKeys: ReadonlySet<string> = new Set([
  'service',
  'sofa_head_method_name',
  'sofa_head_target_service',
  'sofa_head_target_app',
  'sofa_head_response_error',
  'sofa_head_generic_type',
]);

/** SOFARPC over Bolt: SofaRequest and SofaResponse in SOFA's hessian, names and attachments in the header map as well. */
export class BoltMessages implements RpcMessages {
  readonly protocol = 'bolt';
  readonly statusFor = boltStatusOf;
  readonly #library: HessianLibrary;

  constructor(library: HessianLibrary) {
    this.#library = library;
  }

  encodeRequest(request: RpcRequest): Buffer {
    const { method, args, argTypes, attachments } = request;
    const target = uniqueName(request);
    const values = new JavaConverter();
    const content = this.#library.encode((encoder) => {
      encoder.write({
        $class: requestClass,
        $: {
          targetAppName: null,
          methodName: method,
          targetServiceUniqueName: target,
          requestProps: nested(attachments),
          methodArgSigs: { $class: stringArray, $: argTypes.map(classNameOf) },
        },
      });
      for (let i = 0; i < args.length; i++) encoder.write(values.convert(args[i], argTypes[i]));
    });
    const headers = {
      service: target,
      sofa_head_method_name: method,
      sofa_head_target_service: target,
      ...attachments,
    };
    const frame = { className: requestClass, headers, content };
    return boltRequestFrame(frame, request.timeoutMs, request.isOneway);
  }

  decodeRequest(head: HeadView, body: Buffer): IncomingCall {
    checkSerialization(head);
    const read = this.#library.decode(body, readSofaRequest);
    const fields = fieldsOf(head, ownKeys);
    // Proxies re-target calls by the header, as SOFARPC itself does.
    const target = head.get('service') ?? read.target;
    const dialect = dialectOf(head);
    const request: RpcRequest = {
      ...partsOf(target),
      method: head.get('sofa_head_method_name') ?? read.method,
      args: read.args,
      argTypes: read.argTypes,
      attachments: { ...read.attachments, ...fields },
      timeoutMs: head.timeoutMs,
      isOneway: head.oneWay,
    };
    return { request, answer: (outcome) => this.#answer(outcome, dialect) };
  }

  refuse(head: HeadView, status: number, message: string): Buffer {
    return this.#answer({ kind: 'failure', status, message }, dialectOf(head));
  }

  #answer(outcome: RpcOutcome, dialect: BoltDialect): Buffer {
    if (outcome.kind === 'failure') {
      const thrown = throwableValue({ className: errorClass, message: outcome.message, stack: '' });
      const content = this.#library.encode((encoder) => void encoder.write(thrown));
      return boltResponseFrame({ className: errorClass, headers: {}, content }, outcome.status, dialect);
    }
    const values = new JavaConverter();
    const appResponse =
      outcome.kind === 'value' ? values.convert(outcome.value) : throwableValue(outcome.exception);
    const content = this.#library.encode((encoder) => {
      encoder.write({
        $class: responseClass,
        $: { isError: false, errorMsg: null, appResponse, responseProps: nested(outcome.attachments) },
      });
    });
    const headers = { sofa_head_response_error: 'false', ...outcome.attachments };
    return boltResponseFrame({ className: responseClass, headers, content }, 0, dialect);
  }

  decodeResponse(head: HeadView, body: Buffer): RpcOutcome {
    const status = head.protocolStatus;
    const attachments = fieldsOf(head, ownKeys);
    if (status !== 0) return { kind: 'failure', status, message: this.#failureText(head, body) };
    if (body.length === 0) return { kind: 'value', value: null, attachments };
    checkSerialization(head);
    const response = this.#library.decode(body, (decoder) => decoder.read()) as SofaResponse | null;
    if (response === null || typeof response !== 'object')
      return { kind: 'value', value: response, attachments };
    const all = { ...flatten(response.responseProps), ...attachments };
    if (response.isError === true) {
      return { kind: 'failure', status: 1, message: String(response.errorMsg ?? '') };
    }
    if (response.appResponse instanceof Error) {
      return { kind: 'exception', exception: readThrowable(response.appResponse), attachments: all };
    }
    const className = this.#throwableClass(response.appResponse, body);
    if (className !== '') {
      const exception = readThrowable(response.appResponse, className);
      return { kind: 'exception', exception, attachments: all };
    }
    return { kind: 'value', value: new PlainReader().read(response.appResponse), attachments: all };
  }

  /** A Throwable without a stack trace looks like any object: then its class is read, too. "": it is none. */
  #throwableClass(appResponse: unknown, body: Buffer): string {
    if (typeof appResponse !== 'object' || appResponse === null || !('detailMessage' in appResponse))
      return '';
    const typed = this.#library.decode(body, (decoder) => decoder.read(true)) as { $?: SofaResponse } | null;
    const className = (typed?.$?.appResponse as { $class?: unknown } | undefined)?.$class;
    return typeof className === 'string' && namesThrowable(className) ? className : '';
  }

  /** The message of the exception in the body; else what a mesh says in a header. */
  #failureText(head: HeadView, body: Buffer): string {
    if (body.length > 0) {
      try {
        const text = readThrowable(this.#library.decode(body, (decoder) => decoder.read())).message;
        if (text !== '') return text;
      } catch {
        // A proxy's own words, or another serialization.
      }
    }
    return head.get('x-heddle-error') ?? '';
  }
}

interface SofaResponse {
  readonly isError?: unknown;
  readonly errorMsg?: unknown;
  readonly appResponse?: unknown;
  readonly responseProps?: unknown;
}

function readSofaRequest(decoder: HessianDecoder) {
  const request = decoder.read() as Record<string, unknown> | null;
  if (typeof request !== 'object' || request === null || typeof request['methodName'] !== 'string') {
    throw new HeddleError('ERR_RPC_VALUE', 'the content is no SofaRequest');
  }
  const sigs = request['methodArgSigs'];
  const argTypes = Array.isArray(sigs) ? sigs.map(String) : [];
  const plain = new PlainReader();
  const args = argTypes.map(() => plain.read(decoder.read()));
  return {
    method: request['methodName'],
    target: String(request['targetServiceUniqueName'] ?? ''),
    attachments: flatten(request['requestProps']),
    argTypes,
    args,
  };
}

function checkSerialization(head: HeadView): void {
  const codec = serializationOf(head);
  if (!isHessianCodec(codec)) throw new HeddleError('ERR_RPC_VALUE', `Bolt codec ${codec} is not hessian`);
}

/** "interface:version[:uniqueId]". */
function uniqueName({ service, version, group }: RpcRequest): string {
  const named = version === '' && group === '' ? service : `${service}:${version}`;
  return group === '' ? named : `${named}:${group}`;
}

function partsOf(target: string): { service: string; version: string; group: string } {
  const [service = '', version = '', group = ''] = target.split(':');
  return { service, version, group };
}
