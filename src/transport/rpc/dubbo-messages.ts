import { HeddleError } from '../../core/base/errors.ts';
import type { HeadView } from '../../core/base/head-view.ts';
import { toDubboStatus } from '../codecs/dubbo/status.ts';
import type { RpcOutcome, RpcRequest } from './call.ts';
import { readThrowable, throwableValue } from './exception.ts';
import { fieldsOf, flatten } from './fields.ts';
import { PlainReader } from './from-java.ts';
import { definedClass, type HessianDecoder, type HessianLibrary } from './hessian-library.ts';
import { descriptorOf, typesOf } from './java-types.ts';
import type { IncomingCall, RpcMessages } from './messages.ts';
import { JavaConverter } from './to-java.ts';

/** What we say to be: Java sends attachments back to 2.0.2 and later (`Version.isSupportResponseAttachment`). */
const dubboVersion = '2.0.2';
const headBytes = 16;
const hessianId = 2;
const flags = { request: 0x80, twoWay: 0x40 };
/** First int of a response body; from 3 on an attachments map follows. */
const Result = { exception: 0, value: 1, empty: 2, withAttachments: 3 } as const;
const ok = 20;
/** Keys that are facts of the call, not attachments. */
const ownKeys: ReadonlySet<string> = new Set(['path', 'interface', 'version', 'group', 'timeout', 'dubbo']);
const none: ReadonlySet<string> = new Set();

/** The dubbo protocol with hessian2: DubboCodec, DecodeableRpcInvocation and DecodeableRpcResult of Apache Dubbo. */
export class DubboMessages implements RpcMessages {
  readonly protocol = 'dubbo';
  readonly statusFor = toDubboStatus;
  readonly #library: HessianLibrary;

  constructor(library: HessianLibrary) {
    this.#library = library;
  }

  encodeRequest(request: RpcRequest): Buffer {
    const { service, version, method, args, argTypes, isOneway } = request;
    const values = new JavaConverter();
    const body = this.#library.encode((encoder) => {
      for (const text of [dubboVersion, service, version, method, descriptorOf(argTypes)])
        encoder.write(text);
      for (let i = 0; i < args.length; i++) encoder.write(values.convert(args[i], argTypes[i]));
      encoder.write(attachmentsOf(request));
    });
    return frame(flags.request | (isOneway ? 0 : flags.twoWay), 0, body);
  }

  decodeRequest(head: HeadView, _body: Buffer): IncomingCall {
    checkSerialization(head);
    const read = this.#library.decode(frameBody(head), readInvocation);
    const fields = fieldsOf(head, none);
    const attachments: Record<string, string> = {};
    for (const [name, value] of Object.entries(fields)) if (!ownKeys.has(name)) attachments[name] = value;
    const timeoutMs = head.timeoutMs > 0 ? head.timeoutMs : Number(fields['timeout'] ?? 0);
    const request: RpcRequest = {
      service: fields['interface'] ?? fields['path'] ?? read.path,
      version: fields['version'] ?? read.version,
      group: fields['group'] ?? '',
      method: read.method,
      args: read.args,
      argTypes: read.argTypes,
      attachments,
      timeoutMs: Number.isFinite(timeoutMs) ? timeoutMs : 0,
      isOneway: head.oneWay,
    };
    const sendsAttachments = takesAttachments(read.dubboVersion);
    return { request, answer: (outcome) => this.#answer(outcome, sendsAttachments) };
  }

  refuse(_head: HeadView, status: number, message: string): Buffer {
    return this.#answer({ kind: 'failure', status, message }, false);
  }

  #answer(outcome: RpcOutcome, sendsAttachments: boolean): Buffer {
    const body = this.#library.encode((encoder) => {
      if (outcome.kind === 'failure') {
        encoder.write(outcome.message);
        return;
      }
      const value = outcome.kind === 'value' ? new JavaConverter().convert(outcome.value) : null;
      const base =
        outcome.kind === 'exception' ? Result.exception : value === null ? Result.empty : Result.value;
      encoder.write(base + (sendsAttachments ? Result.withAttachments : 0));
      if (outcome.kind === 'exception') encoder.write(throwableValue(outcome.exception));
      else if (value !== null) encoder.write(value);
      if (sendsAttachments) encoder.write({ ...outcome.attachments });
    });
    return frame(0, outcome.kind === 'failure' ? outcome.status : ok, body);
  }

  decodeResponse(head: HeadView, _body: Buffer): RpcOutcome {
    checkSerialization(head);
    const status = head.protocolStatus;
    const body = frameBody(head);
    if (status !== ok) {
      return { kind: 'failure', status, message: this.#failureText(body) };
    }
    return this.#library.decode(body, (decoder) => readResult(decoder, body, fieldsOf(head, ownKeys)));
  }

  #failureText(body: Buffer): string {
    try {
      const text = body.length === 0 ? null : this.#library.decode(body, (decoder) => decoder.read());
      if (typeof text === 'string' && text !== '') return text;
    } catch {
      // Another serialization: the status has to do.
    }
    return '';
  }
}

function attachmentsOf(request: RpcRequest): Record<string, string> {
  const { service, version, group, timeoutMs, attachments } = request;
  const all: Record<string, string> = { ...attachments, path: service, interface: service };
  if (version !== '') all['version'] = version;
  if (group !== '') all['group'] = group;
  if (timeoutMs > 0) all['timeout'] = String(timeoutMs);
  return all;
}

function readInvocation(decoder: HessianDecoder) {
  const version = textOf(decoder.read());
  const path = textOf(decoder.read());
  const serviceVersion = textOf(decoder.read());
  const method = textOf(decoder.read());
  let descriptor = decoder.read();
  // Dubbox puts an int before it.
  if (typeof descriptor === 'number') descriptor = decoder.read();
  const argTypes = typesOf(textOf(descriptor));
  if (method === '' || argTypes === null)
    throw new HeddleError('ERR_RPC_VALUE', 'the body is no RpcInvocation');
  const plain = new PlainReader();
  const args = argTypes.map(() => plain.read(decoder.read()));
  return { dubboVersion: version, path, version: serviceVersion, method, argTypes, args };
}

function readResult(
  decoder: HessianDecoder,
  body: Buffer,
  fields: Readonly<Record<string, string>>,
): RpcOutcome {
  const flag = decoder.read();
  if (typeof flag !== 'number' || flag < 0 || flag > 5) {
    throw new HeddleError('ERR_RPC_VALUE', `result flag ${String(flag)}`);
  }
  const base = flag % Result.withAttachments;
  const className = definedClass(body, decoder.byteBuffer.position());
  const exception = base === Result.exception ? readThrowable(decoder.read(), className) : null;
  const value = base === Result.value ? new PlainReader().read(decoder.read()) : null;
  const own = flag >= Result.withAttachments ? flatten(decoder.read()) : {};
  const attachments = { ...own, ...fields };
  return exception === null
    ? { kind: 'value', value, attachments }
    : { kind: 'exception', exception, attachments };
}

/** The body behind the fixed part: arguments and attachments, or the result. */
function frameBody(head: HeadView): Buffer {
  return head.buf.subarray(head.start + headBytes, head.end);
}

function checkSerialization(head: HeadView): void {
  const id = (head.buf[head.start + 2] ?? 0) & 0x1f;
  if (id !== hessianId) throw new HeddleError('ERR_RPC_VALUE', `Dubbo serialization ${id} is not hessian2`);
}

/** 2.0.2 to 2.0.99 (`Version.isSupportResponseAttachment`). */
function takesAttachments(version: string): boolean {
  const match = /^2\.0\.(\d{1,2})(\D|$)/.exec(version);
  return match !== null && Number(match[1]) >= 2;
}

function frame(flag: number, status: number, body: Buffer): Buffer {
  const whole = Buffer.alloc(headBytes + body.length);
  whole.writeUInt16BE(0xdabb, 0);
  whole[2] = flag | hessianId;
  whole[3] = status;
  whole.writeUInt32BE(body.length, 12);
  body.copy(whole, headBytes);
  return whole;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
