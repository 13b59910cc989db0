import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { Code } from '../../src/core/base/codes.ts';
import { HeadView } from '../../src/core/base/head-view.ts';
import { dubboProtocol } from '../../src/transport/codecs/dubbo/protocol.ts';
import { type FrameHandler, FrameReader } from '../../src/transport/codecs/framed/frame-reader.ts';
import { FrameKind } from '../../src/transport/codecs/framed/index.ts';
import { bodyOf, readContext, readRequest } from '../transport/codecs/dubbo/support.ts';
import { dubboFrame } from './kit/dubbo-inputs.ts';
import type { FuzzRandom, FuzzTarget } from './kit/fuzz.ts';

const maxFrameBytes = 100_000;
const context = readContext({ maxHeaderCount: 10, maxHeaderBytes: 4000 });
const plainRequest = readRequest(
  Buffer.from('dabbc20000000000000000010000000d05322e302e320161000162004e', 'hex'),
);

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

function cut(input: Buffer, size: number): Frames {
  const frames = new Frames();
  const reader = new FrameReader(dubboProtocol, maxFrameBytes);
  for (let at = 0; at < input.length && frames.bad === 0; at += size) {
    const piece = Buffer.from(input.subarray(at, at + size));
    reader.read(piece, 0, piece.length, frames);
  }
  return frames;
}

/** Written again it is the same; with a header more it says the same and the header. */
function checkRequest(frame: Buffer): boolean {
  const head = new HeadView();
  const code = dubboProtocol.readRequest(head, frame, 0, frame.length, context);
  if (code !== Code.none) return false;
  ok(head.bodyStart >= 16 && head.bodyEnd >= head.bodyStart && head.bodyEnd <= frame.length);
  const id = frame.readUInt32BE(8);
  const high = frame.readUInt32BE(4);
  // Of two attachments with one name the last stays.
  const isDouble = head.fields.slice(0, head.count * 4).some((offset) => offset < 0);
  const clean = Buffer.from(frame);
  // The status byte of a request means nothing.
  clean[3] = 0;
  if (!isDouble) deepStrictEqual(dubboProtocol.encodeRequest(head, bodyOf(head), id, high), clean);
  head.set('x-added', 'some text');
  const again = dubboProtocol.encodeRequest(head, bodyOf(head), 5, 0);
  ok(Buffer.isBuffer(again));
  checkEdited(head, again, dubboProtocol.readRequest.bind(dubboProtocol));
  return true;
}

function checkResponse(frame: Buffer): boolean {
  const head = new HeadView();
  if (dubboProtocol.readResponse(head, frame, 0, frame.length) !== Code.none) return false;
  const id = frame.readUInt32BE(8);
  const high = frame.readUInt32BE(4);
  const body = bodyOf(head);
  const same = dubboProtocol.encodeResponse(head, body, plainRequest, id, high);
  // A result of five bytes is written in one; text of an error in the form that Java writes.
  const clean = Buffer.from(frame);
  clean[2] = (frame[2] as number) & 0x1f;
  if (Buffer.isBuffer(same) && same.length === frame.length) deepStrictEqual(same, clean);
  head.set('x-added', 'some text');
  const again = dubboProtocol.encodeResponse(head, body, plainRequest, 5, 0);
  if (!Buffer.isBuffer(again)) return true;
  strictEqual(dubboProtocol.sizeOf(again, 0, again.length), again.length);
  return true;
}

function checkEdited(head: HeadView, again: Buffer, read: typeof dubboProtocol.readRequest): void {
  strictEqual(dubboProtocol.sizeOf(again, 0, again.length), again.length, 'the length was corrected');
  const got = new HeadView();
  const wide = readContext({ maxHeaderCount: 20, maxHeaderBytes: 8000 });
  strictEqual(read(got, again, 0, again.length, wide), Code.none, 'what was written can be read');
  strictEqual(got.service, head.service);
  deepStrictEqual(bodyOf(got), bodyOf(head));
  if (head.rpcMethod === '') return;
  strictEqual(got.get('x-added'), 'some text');
  deepStrictEqual({ ...got.toObject() }, { ...head.toObject() });
}

export const target: FuzzTarget = {
  name: 'dubbo',
  /** One byte that says whether damaged, then one to three frames. */
  generate(random: FuzzRandom) {
    const isDamaged = random.chance(0.5);
    const frames = Array.from({ length: 1 + random.below(3) }, () => dubboFrame(random, isDamaged));
    return Buffer.concat([Buffer.of(isDamaged ? 1 : 0), ...frames]);
  },
  check(input, random) {
    const bytes = input.subarray(1);
    const whole = cut(bytes, Math.max(1, bytes.length));
    const pieces = cut(bytes, 1 + random.below(bytes.length + 1));
    deepStrictEqual(pieces.all, whole.all);
    strictEqual(pieces.bad, whole.bad);
    for (const frame of whole.all) {
      const kind = dubboProtocol.kindOf(frame, 0, frame.length);
      if (kind === FrameKind.request || kind === FrameKind.oneWay) checkRequest(frame);
      else if (kind === FrameKind.response) checkResponse(frame);
      else if (kind === FrameKind.heartbeat) {
        const ack = dubboProtocol.heartbeatAck(frame, 0, frame.length, null) as Buffer;
        strictEqual(dubboProtocol.kindOf(ack, 0, ack.length), FrameKind.heartbeatAck);
        deepStrictEqual(ack.subarray(4, 12), frame.subarray(4, 12));
      }
    }
  },
};
