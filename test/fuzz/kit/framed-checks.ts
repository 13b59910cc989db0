import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { Code } from '../../../src/core/base/codes.ts';
import { HeadView } from '../../../src/core/base/head-view.ts';
import { type FrameHandler, FrameReader } from '../../../src/transport/codecs/framed/frame-reader.ts';
import { type FramedProtocol, FrameKind } from '../../../src/transport/codecs/framed/index.ts';
import { bodyOf, readContext } from '../../transport/codecs/dubbo/support.ts';
import { damage, type FuzzRandom, type FuzzTarget } from './fuzz.ts';

const maxFrameBytes = 100_000;
const context = readContext({ maxHeaderCount: 20, maxHeaderBytes: 8000 });

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

/** Cuts a stream into frames, read in pieces of `size`. */
function cut(protocol: FramedProtocol, input: Buffer, size: number): Frames {
  const frames = new Frames();
  const reader = new FrameReader(protocol, maxFrameBytes);
  for (let at = 0; at < input.length && frames.bad === 0; at += size) {
    const piece = Buffer.from(input.subarray(at, at + size));
    reader.read(piece, 0, piece.length, frames);
  }
  return frames;
}

/** A target for a framed protocol without arguments to look into: half of its inputs damaged. */
export function framedTarget(
  protocol: FramedProtocol,
  makeFrame: (random: FuzzRandom) => Buffer,
): FuzzTarget {
  return {
    name: protocol.name,
    generate(random) {
      const isDamaged = random.chance(0.5);
      const frames = Array.from({ length: 1 + random.below(3) }, () => makeFrame(random));
      const bytes = Buffer.concat(frames);
      return Buffer.concat([Buffer.of(isDamaged ? 1 : 0), isDamaged ? damage(bytes, random) : bytes]);
    },
    check(input, random) {
      const bytes = input.subarray(1);
      const whole = cut(protocol, bytes, Math.max(1, bytes.length));
      const pieces = cut(protocol, bytes, 1 + random.below(bytes.length + 1));
      deepStrictEqual(pieces.all, whole.all);
      strictEqual(pieces.bad, whole.bad);
      if (input[0] === 0) strictEqual(whole.bad, 0, 'valid frames are frames');
      for (const frame of whole.all) checkFrame(protocol, frame, input[0] === 0);
    },
  };
}

function checkFrame(protocol: FramedProtocol, frame: Buffer, isValid: boolean): void {
  const kind = protocol.kindOf(frame, 0, frame.length);
  if (isValid) ok(kind !== FrameKind.malformed, 'a valid frame is understood');
  if (kind === FrameKind.malformed) return;
  const id = protocol.idOf(frame, 0, frame.length);
  const patched = Buffer.from(frame);
  const other = protocol.setId(patched, 0, patched.length, 77_777, 0) ?? patched;
  strictEqual(protocol.idOf(other, 0, other.length), 77_777);
  const isRequest = kind === FrameKind.request || kind === FrameKind.oneWay;
  const head = read(protocol, frame, isRequest);
  if (head === null) return;
  const back = encode(protocol, head, isRequest, id);
  ok(Buffer.isBuffer(back));
  strictEqual(protocol.sizeOf(back, 0, back.length), back.length, 'the length is right');
  const again = read(protocol, back, isRequest);
  ok(again !== null, 'what was written can be read');
  deepStrictEqual(bodyOf(again), bodyOf(head));
  deepStrictEqual({ ...again.toObject() }, { ...head.toObject() });
  strictEqual(again.path, head.path);
  strictEqual(again.status, head.status);
}

function read(protocol: FramedProtocol, frame: Buffer, isRequest: boolean): HeadView | null {
  const head = new HeadView();
  const code = isRequest
    ? protocol.readRequest(head, frame, 0, frame.length, context)
    : protocol.readResponse(head, frame, 0, frame.length);
  return code === Code.none ? head : null;
}

function encode(protocol: FramedProtocol, head: HeadView, isRequest: boolean, id: number): Buffer | number {
  if (isRequest) return protocol.encodeRequest(head, bodyOf(head), id, 0);
  return protocol.encodeResponse(head, bodyOf(head), head, id, 0);
}
