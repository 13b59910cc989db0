import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { Code } from '../../../src/core/base/codes.ts';
import { HeadView } from '../../../src/core/base/head-view.ts';
import { flowKeys } from '../../../src/transport/codecs/bolt/flow-keys.ts';
import { boltProtocol } from '../../../src/transport/codecs/bolt/index.ts';
import { match } from '../../../src/transport/codecs/bolt/match.ts';
import { FrameKind } from '../../../src/transport/codecs/framed/index.ts';
import { bodyOf, readContext } from '../../transport/codecs/dubbo/support.ts';
import type { FuzzRandom } from './fuzz.ts';

/** What is to be written as a frame that no frame was read for: a call of another protocol, an answer of ours, a beat. */
interface Message {
  readonly path: string;
  readonly service: string;
  readonly method: string;
  readonly oneWay: boolean;
  readonly timeoutMs: number;
  readonly status: number;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly id: number;
  readonly idleLimitMs: number;
}

const context = readContext({});
const names = [
  'app',
  'Host',
  'te',
  'connection',
  'content-length',
  'service',
  'x-a',
  'sofa_head_method_name',
];
const types = ['application/json', 'application/protobuf', 'text/plain'];
const statuses = [200, 301, 400, 403, 404, 408, 413, 429, 431, 500, 502, 503, 504, 599];
const notCarried = new Set(['host', 'te', 'connection', 'content-length']);

/** A message as JSON. */
export function encoderInput(random: FuzzRandom): Buffer {
  const word = (): string => 'v'.repeat(random.below(random.chance(0.05) ? 40_000 : 40));
  const service = random.pick(['', 'demo.Hello:1.0', 'a', '服务:1.0']);
  const message: Message = {
    path: random.pick(['/', '/demo.Hello:1.0/say', '/say', '/a/b/c']),
    service,
    method: random.pick(['', 'say', 'query']),
    oneWay: random.chance(0.2),
    timeoutMs: random.pick([0, 1, 3000]),
    status: random.pick(statuses),
    fields: [
      ...Array.from({ length: random.below(5) }, () => [random.pick(names), word()] as const),
      ...(random.chance(0.5) ? [['content-type', random.pick(types)] as const] : []),
    ],
    body: word(),
    id: random.below(2 ** 31),
    idleLimitMs: random.below(100_000),
  };
  return Buffer.from(JSON.stringify(message));
}

export function checkEncoders(input: Buffer, random: FuzzRandom): void {
  const message = JSON.parse(input.toString()) as Message;
  const request = checkForeignRequest(message);
  checkForeignAnswer(message);
  checkFailure(message);
  checkControl(message);
  if (request !== null) {
    checkPrefixes(request);
    checkFlowKeys(request, random);
  }
}

function foreignHead({ path, service, method, oneWay, timeoutMs, status, fields }: Message): HeadView {
  const head = new HeadView();
  head.methodText = 'POST';
  head.pathText = path;
  head.authorityText = 'demo.Authority';
  head.service = service;
  head.rpcMethod = method;
  head.oneWay = oneWay;
  head.timeoutMs = timeoutMs;
  head.status = status;
  for (const [name, value] of fields) head.add(name, value);
  return head;
}

/** Names that may occur only between two hops stay here, and those that the frame says by itself come once. */
const carried = ({ fields }: Message): [string, string][] =>
  fields
    .filter(([name]) => !notCarried.has(name.toLowerCase()))
    .map(([name, value]): [string, string] => [name, value]);

function checkForeignRequest(message: Message): Buffer | null {
  const body = Buffer.from(message.body);
  const frame = boltProtocol.encodeRequest(foreignHead(message), body, message.id, 0);
  if (typeof frame === 'number') {
    strictEqual(frame, Code.headersTooLarge);
    return null;
  }
  const head = readBack(frame, message.id, true);
  strictEqual(
    boltProtocol.kindOf(frame, 0, frame.length),
    message.oneWay ? FrameKind.oneWay : FrameKind.request,
  );
  const service = message.service === '' ? 'demo.Authority' : message.service;
  const method =
    message.method === '' ? message.path.slice(message.path.lastIndexOf('/') + 1) : message.method;
  strictEqual(Buffer.from(head.service, 'latin1').toString(), service);
  if (method !== '') strictEqual(head.rpcMethod, method);
  strictEqual(head.timeoutMs, message.timeoutMs);
  const isMethodTold = method !== '' || message.fields.some(([name]) => name === 'sofa_head_method_name');
  const told = new Set([
    'service',
    'sofa_head_target_service',
    ...(isMethodTold ? ['sofa_head_method_name'] : []),
  ]);
  const expected = carried(message).filter(([name]) => !told.has(name));
  deepStrictEqual(
    fieldsOf(head).filter(([name]) => !told.has(name)),
    expected,
  );
  ok(bodyOf(head).equals(body));
  return frame;
}

function checkForeignAnswer(message: Message): void {
  const body = Buffer.from(message.body);
  const frame = boltProtocol.encodeResponse(foreignHead(message), body, new HeadView(), message.id, 0);
  if (typeof frame === 'number') {
    strictEqual(frame, Code.headersTooLarge);
    return;
  }
  const head = readBack(frame, message.id, false);
  strictEqual(head.status < 300, message.status === 200, 'a success is one, a failure is one');
  deepStrictEqual(fieldsOf(head), carried(message));
  ok(bodyOf(head).equals(body));
}

function checkFailure({ status, id }: Message): void {
  const frame = boltProtocol.encodeFailure(status, 'no_route', new HeadView(), id, 0);
  const head = readBack(frame, id, false);
  strictEqual(head.get('x-heddle-error'), 'no_route');
  ok(status === 200 || head.status >= 400);
}

function checkControl({ id, idleLimitMs }: Message): void {
  for (const peer of [null, { idleLimitMs }]) {
    const beat = boltProtocol.heartbeat(id, peer);
    strictEqual(boltProtocol.kindOf(beat, 0, beat.length), FrameKind.heartbeat);
    deepStrictEqual(boltProtocol.announcementOf(beat, 0, beat.length), peer);
    const answer = boltProtocol.heartbeatAck(beat, 0, beat.length, peer) as Buffer;
    strictEqual(boltProtocol.kindOf(answer, 0, answer.length), FrameKind.heartbeatAck);
    strictEqual(boltProtocol.idOf(answer, 0, answer.length), id);
    deepStrictEqual(boltProtocol.announcementOf(answer, 0, answer.length), peer);
  }
  strictEqual(boltProtocol.goAway(false, id), null);
  const notice = boltProtocol.goAway(true, id) as Buffer;
  strictEqual(boltProtocol.kindOf(notice, 0, notice.length), FrameKind.goAway);
}

function readBack(frame: Buffer, id: number, isRequest: boolean): HeadView {
  strictEqual(boltProtocol.sizeOf(frame, 0, frame.length), frame.length, 'the length is right');
  strictEqual(boltProtocol.idOf(frame, 0, frame.length), id);
  const head = new HeadView();
  const code = isRequest
    ? boltProtocol.readRequest(head, frame, 0, frame.length, context)
    : boltProtocol.readResponse(head, frame, 0, frame.length);
  strictEqual(code, Code.none, 'what was written can be read');
  return head;
}

function fieldsOf(head: HeadView): [string, string][] {
  const fields: [string, string][] = [];
  head.forEach((name, value) => {
    fields.push([name, value]);
  });
  return fields;
}

/** A frame is never taken for another protocol, however little of it is here. */
function checkPrefixes(frame: Buffer): void {
  for (let size = 0; size <= Math.min(frame.length, 30); size++) {
    strictEqual(match(frame, 0, size), size < 5 ? 2 : 1);
    ok(boltProtocol.sizeOf(frame, 0, Math.max(1, size)) >= 0);
  }
  ok(match(Buffer.concat([Buffer.of(3), frame]), 0, frame.length) === 0);
}

/** Two requests are of one flow exactly when nothing differs but the id and the content. */
export function checkFlowKeys(frame: Buffer, random: FuzzRandom): void {
  if (boltProtocol.kindOf(frame, 0, frame.length) !== FrameKind.request) return;
  const sizeBytes = flowKeys.headBytesOf(frame, 0);
  if (sizeBytes === 0) return;
  const [idAt, lengthAt] = frame[0] === 1 ? [5, 18] : [6, 20];
  const kept = viewOf(Buffer.from(frame.subarray(0, sizeBytes)), 0);
  const at = 1 + random.below(40);
  const other = Buffer.concat([Buffer.alloc(at), frame.subarray(0, sizeBytes)]);
  const place = random.below(sizeBytes);
  other.writeUInt32BE(random.below(2 ** 31), at + idAt);
  other.writeUInt32BE(random.below(2 ** 31), at + lengthAt);
  const view = viewOf(other, 0);
  ok(flowKeys.isSame(kept, view, at, sizeBytes));
  strictEqual(flowKeys.hashOf(view, at, sizeBytes), flowKeys.hashOf(kept, 0, sizeBytes));
  other[at + place] = (other[at + place] as number) ^ (1 << random.below(8));
  const isHole = (place >= idAt && place < idAt + 4) || (place >= lengthAt && place < lengthAt + 4);
  if (place > 0) strictEqual(flowKeys.isSame(kept, view, at, sizeBytes), isHole);
}

const viewOf = (buf: Buffer, from: number): DataView =>
  new DataView(buf.buffer, buf.byteOffset + from, buf.length - from);
