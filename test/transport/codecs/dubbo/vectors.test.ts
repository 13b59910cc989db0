import test, { type ExecutionContext } from 'ava';
import { Code } from '../../../../src/core/base/codes.ts';
import { HeadView } from '../../../../src/core/base/head-view.ts';
import { dubboProtocol } from '../../../../src/transport/codecs/dubbo/protocol.ts';
import { type FrameHandler, FrameReader } from '../../../../src/transport/codecs/framed/frame-reader.ts';
import { FrameKind } from '../../../../src/transport/codecs/framed/index.ts';
import { wireBytes, wireCases } from '../../../fixtures/wire/index.ts';
import { bodyOf, readContext } from './support.ts';

interface Case {
  readonly by: string;
  readonly name: string;
  readonly header: {
    readonly request: boolean;
    readonly twoWay: boolean;
    readonly event: boolean;
    readonly status: number;
    readonly id: string;
    readonly bodyLen: number;
  };
  readonly routing?: {
    readonly path: string;
    readonly version: string | null;
    readonly method: string;
  };
  readonly hex: string;
}

const cases = wireCases<Case>('dubbo').map((each) => ({
  ...each,
  bytes: wireBytes(each.hex),
  title: `${each.by}: ${each.name}`,
}));

/** Gives frames as one piece, in order. */
class Frames implements FrameHandler {
  readonly all: Buffer[] = [];
  bad = 0;

  onFrame(buf: Buffer, start: number, end: number): boolean {
    this.all.push(Buffer.from(buf.subarray(start, end)));
    return true;
  }

  onLargeFrame(head: Buffer, body: readonly Buffer[]): boolean {
    this.all.push(Buffer.concat([head, ...body]));
    return true;
  }

  onBadFrame(): void {
    this.bad++;
  }
}

function kindFor({ request, twoWay, event }: Case['header'], name: string): FrameKind {
  if (event && name.includes('readonly')) return FrameKind.goAway;
  if (event) return request ? FrameKind.heartbeat : FrameKind.heartbeatAck;
  if (!request) return FrameKind.response;
  return twoWay ? FrameKind.request : FrameKind.oneWay;
}

test('every frame is told by its header, ids of 64 bits included', (t) => {
  t.is(cases.length, 61);
  for (const { bytes, header, name, title } of cases) {
    t.is(dubboProtocol.sizeOf(bytes, 0, bytes.length), 16 + header.bodyLen, title);
    t.is(dubboProtocol.kindOf(bytes, 0, bytes.length), kindFor(header, name), title);
    const id = BigInt(dubboProtocol.idHighOf(bytes, 0, bytes.length)) * 2n ** 32n;
    t.is(String(id + BigInt(dubboProtocol.idOf(bytes, 0, bytes.length))), header.id, title);
  }
});

test('frames may be split at every byte, and byte by byte', (t) => {
  for (const { bytes, title } of cases) {
    const stream = Buffer.concat([bytes, bytes]);
    for (let at = 1; at < stream.length; at += at < 64 || bytes.length < 300 ? 1 : 97) {
      const frames = new Frames();
      const reader = new FrameReader(dubboProtocol, 8_388_608);
      reader.read(Buffer.from(stream.subarray(0, at)), 0, at, frames);
      reader.read(Buffer.from(stream.subarray(at)), 0, stream.length - at, frames);
      if (frames.bad > 0 || !frames.all.every((each) => each.equals(bytes))) t.fail(`${title} at ${at}`);
      if (frames.all.length !== 2) t.fail(`${title} at ${at}: ${frames.all.length} frames`);
    }
    const frames = new Frames();
    const reader = new FrameReader(dubboProtocol, 8_388_608);
    for (let at = 0; at < bytes.length; at++)
      reader.read(Buffer.from(bytes.subarray(at, at + 1)), 0, 1, frames);
    t.deepEqual(frames.all, [bytes], title);
  }
});

test('words and attachments of every request are those that an independent reader finds', (t) => {
  let withGroup = 0;
  for (const { bytes, name, routing, title } of cases) {
    if (routing === undefined) continue;
    const head = new HeadView();
    t.is(dubboProtocol.readRequest(head, bytes, 0, bytes.length, readContext()), Code.none, title);
    // One made frame has another service as attachment than as word: a provider in Java takes that.
    const service = name.startsWith('long path') ? 'com.acme.DemoService' : routing.path;
    t.is(head.service, service, title);
    t.is(head.path, `/${service}/${head.rpcMethod}`, title);
    if (routing.method !== '$invoke') t.is(head.rpcMethod, routing.method, title);
    if (routing.version) t.is(head.get('version'), routing.version, title);
    t.is(head.isEdited, false, title);
    if (head.get('group') === 'g1') withGroup++;
  }
  t.is(withGroup, 20);
});

test('a generic call has the name of the method that it calls', (t) => {
  const generic = cases.filter((each) => each.name === 'generic $invoke');
  t.is(generic.length, 2);
  for (const { bytes, by, title } of generic) {
    const head = new HeadView();
    dubboProtocol.readRequest(head, bytes, 0, bytes.length, readContext());
    t.is(head.rpcMethod, by.startsWith('caucho') ? 'sayHello' : 'm', title);
  }
});

test('every request and answer that is written again is the same bytes', (t) => {
  const request = new HeadView();
  const first = cases[0]?.bytes as Buffer;
  dubboProtocol.readRequest(request, first, 0, first.length, readContext());
  for (const { bytes, header, title } of cases) {
    if (header.event) continue;
    t.deepEqual(writeAgain(t, bytes, header, request), bytes, title);
  }
});

function writeAgain(
  t: ExecutionContext,
  bytes: Buffer,
  { id, request: isRequest }: Case['header'],
  request: HeadView,
): Buffer | number {
  const head = new HeadView();
  const low = Number(BigInt(id) & 0xffffffffn);
  const high = Number(BigInt(id) >> 32n);
  // Somewhere in a larger read.
  const read = Buffer.concat([Buffer.alloc(5, 7), bytes, Buffer.alloc(3, 9)]);
  const end = 5 + bytes.length;
  if (isRequest) {
    t.is(dubboProtocol.readRequest(head, read, 5, end, readContext()), Code.none);
    return dubboProtocol.encodeRequest(head, bodyOf(head), low, high);
  }
  t.is(dubboProtocol.readResponse(head, read, 5, end), Code.none);
  return dubboProtocol.encodeResponse(head, bodyOf(head), request, low, high);
}

test('another id is written in place, 64 bits', (t) => {
  for (const { bytes, title } of cases) {
    const copy = Buffer.from(bytes);
    t.is(dubboProtocol.setId(copy, 0, copy.length, 0x89abcdef, 0x01234567), null);
    t.is(copy.toString('hex', 4, 12), '0123456789abcdef', title);
    t.deepEqual(copy.subarray(12), bytes.subarray(12), title);
  }
});
