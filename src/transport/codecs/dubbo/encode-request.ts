import { copyBytes } from '../../../core/base/bytes.ts';
import { Code } from '../../../core/base/codes.ts';
import type { HeadView } from '../../../core/base/head-view.ts';
import { latin1 } from '../../../core/base/latin1.ts';
import { hessian2 } from '../hessian/dialect.ts';
import { HessianSkipper } from '../hessian/skipper.ts';
import { HessianWriter } from '../hessian/writer.ts';
import {
  dubboVersion,
  Flag,
  headerBytes,
  hessian2Id,
  isHessian,
  noVersion,
  writeHeader,
} from './constants.ts';
import { decode, fieldRoom, writeField } from './field-text.ts';
import { DubboWords } from './words.ts';
import { addedRoom, foreignAttachments, writeEdited } from './write-attachments.ts';

/** Bytes of a service or version that takes the place of the one that came. */
const maxWordBytes = 512;
const newWordsRoom = fieldRoom(maxWordBytes) * 2;

/** A request that was read from Dubbo, with what filters and routes have changed. */
export function encodeOwnRequest(head: HeadView, body: Buffer, id: number, idHigh: number): Buffer | number {
  const { buf, start } = head;
  const flag = buf[start + 2] as number;
  // Nothing in there can be edited, so only the body counts.
  if (!isHessian(flag)) return withBody(flag, body, id, idHigh);
  const words = newWords(head);
  if (words !== null && head.authorityChanged) setService(head, words);
  const attachmentBytes = head.end - head.bodyEnd + addedRoom(head) + (words === null ? 0 : newWordsRoom);
  const frame = Buffer.allocUnsafe(head.bodyStart - start + body.length + attachmentBytes);
  let at = words === null ? copyWords(frame, head) : writeWords(frame, head, words);
  if (at < 0) return Code.headersTooLarge;
  at = copyBytes(body, 0, body.length, frame, at);
  at = writeEdited(frame, at, head, words === null ? -1 : shownVersion(head, words));
  if (at < 0) return Code.downstreamProtocol;
  const whole = frame.subarray(0, at);
  writeHeader(whole, flag, 0, id, idHigh);
  return whole;
}

/** The words where one of them may have to be another; null: all stay. */
function newWords(head: HeadView): DubboWords | null {
  if (!head.authorityChanged && head.find('version') < head.count) return null;
  const words = new DubboWords();
  words.read(head.buf, head.start + headerBytes, head.end);
  return words;
}

function copyWords(frame: Buffer, head: HeadView): number {
  return copyBytes(head.buf, head.start + headerBytes, head.bodyStart, frame, headerBytes);
}

function withBody(flag: number, body: Buffer, id: number, idHigh: number): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes + body.length);
  writeHeader(frame, flag, 0, id, idHigh);
  body.copy(frame, headerBytes);
  return frame;
}

/** A route gave the call another service: providers look at the word and at the attachments. */
function setService(head: HeadView, words: DubboWords): void {
  const service = head.authority;
  const before = decode(head.buf, words.path.start, words.path.end);
  if (head.has('path')) head.set('path', service);
  if (head.get('interface') === before) head.set('interface', service);
}

/** Path and version may be new, the rest stands as it came. Returns the offset behind the words, -1: too long. */
function writeWords(frame: Buffer, head: HeadView, words: DubboWords): number {
  const { buf, start, bodyStart } = head;
  let at = headerBytes + buf.copy(frame, headerBytes, start + headerBytes, words.pathTag);
  if (head.authorityChanged) {
    const service = Buffer.from(head.authority, 'latin1');
    if (service.length > maxWordBytes) return -1;
    at = writeField(frame, at, service, 0, service.length);
  } else at += buf.copy(frame, at, words.pathTag, words.versionTag);
  const version = newVersion(head, words);
  if (version === null) at += buf.copy(frame, at, words.versionTag, words.methodTag);
  else {
    const bytes = Buffer.from(version, 'latin1');
    if (bytes.length > maxWordBytes) return -1;
    at = writeField(frame, at, bytes, 0, bytes.length);
  }
  return at + buf.copy(frame, at, words.methodTag, bodyStart);
}

/** The added field that shows the version word, as reading made it, and is no attachment; -1: there is none. */
function shownVersion(head: HeadView, words: DubboWords): number {
  const index = head.find('version');
  return index >= head.count && newVersion(head, words) === null ? index - head.count : -1;
}

/** The version that a filter has set; null: as it was. */
function newVersion(head: HeadView, words: DubboWords): string | null {
  const index = head.find('version');
  if (index < head.count) return null;
  const { start, end } = words.version;
  const version = head.valueAt(index);
  return version === latin1(head.buf, start, end) ? null : version;
}

/** A request of another protocol, or of a caller in this process: headers become attachments, the body arguments. */
export function encodeForeignRequest(
  head: HeadView,
  body: Buffer,
  id: number,
  idHigh: number,
): Buffer | number {
  const { service, method } = namesOf(head);
  if (service === '' || method === '') return Code.downstreamProtocol;
  const version = head.get('version') ?? noVersion;
  const types = head.get('parameter-types');
  const text = types === null && !isValues(body) ? body.toString() : null;
  const writer = new HessianWriter()
    .string(dubboVersion)
    .string(service)
    .string(version)
    .string(method)
    .string(types ?? (text === null ? objects(body) : 'Ljava/lang/String;'));
  if (text === null) writer.raw(body);
  else writer.string(text);
  writer.raw(
    foreignAttachments(head, [
      ['path', service],
      ['interface', service],
      ['version', version],
    ]),
  );
  const values = writer.bytes();
  const frame = Buffer.allocUnsafe(headerBytes + values.length);
  values.copy(frame, headerBytes);
  writeHeader(frame, Flag.request | (head.oneWay ? 0 : Flag.twoWay) | hessian2Id, 0, id, idHigh);
  return frame;
}

/** RPC words where there are any, else `/service/method`. */
function namesOf(head: HeadView): { service: string; method: string } {
  if (head.service !== '' && head.rpcMethod !== '') {
    return { service: head.service, method: head.rpcMethod };
  }
  const path = (head.path.split('?')[0] as string).slice(1);
  const slash = path.lastIndexOf('/');
  return slash < 0
    ? { service: head.authority, method: path }
    : { service: path.slice(0, slash), method: path.slice(slash + 1) };
}

/** Nothing but complete hessian values? */
function isValues(body: Buffer): boolean {
  const skipper = new HessianSkipper(hessian2);
  let at = 0;
  while (at >= 0 && at < body.length) at = skipper.skip(body, at, body.length);
  return at === body.length;
}

function objects(body: Buffer): string {
  const skipper = new HessianSkipper(hessian2);
  let count = 0;
  for (let at = 0; at < body.length; count++) at = skipper.skip(body, at, body.length);
  return 'Ljava/lang/Object;'.repeat(count);
}
