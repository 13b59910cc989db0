import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { Code } from '../../src/core/base/codes.ts';
import { bolt, boltProtocol } from '../../src/transport/codecs/bolt/index.ts';
import { FrameKind } from '../../src/transport/codecs/framed/index.ts';
import { frame } from '../transport/codecs/bolt/frames.ts';
import { FramedRelay } from '../transport/codecs/framed/relay.ts';
import { checkEncoders, checkFlowKeys, encoderInput } from './kit/bolt-encoders.ts';
import { boltFrames } from './kit/bolt-inputs.ts';
import type { FuzzRandom, FuzzTarget } from './kit/fuzz.ts';

const config = { maxFrameBytes: 100_000 };
const calls = 4;

/** Frames of `bytes`, by sizes alone. */
function framesOf(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = boltProtocol.sizeOf(bytes, at, bytes.length);
    ok(size > 0 && at + size <= bytes.length, 'what leaves is whole frames');
    frames.push(bytes.subarray(at, at + size));
    at += size;
  }
  return frames;
}

function ask(input: Buffer, size: number | undefined, ownsReads: boolean, edits: boolean) {
  const relay = new FramedRelay(bolt, config);
  relay.down.ownsReads = ownsReads;
  if (edits) relay.edit = (s) => s.req.set('fuzz', 'x');
  const sent = relay.forward(input, size);
  return { relay, sent, seen: relay.seen, code: relay.down.destroyedWith };
}

/** Requests: split anywhere the same leaves, as whole frames with ids of our own; edited ones hold the edit. */
function checkRequests(input: Buffer, random: FuzzRandom): void {
  const whole = ask(input, undefined, true, false);
  const pieces = ask(input, 1 + random.below(input.length + 1), random.chance(0.5), false);
  deepStrictEqual(pieces.seen, whole.seen);
  ok(pieces.sent.equals(whole.sent), 'the same bytes leave however the input is cut');
  const frames = framesOf(whole.sent);
  strictEqual(frames.length, whole.seen.length);
  frames.forEach((each, i) => {
    const kind = boltProtocol.kindOf(each, 0, each.length);
    ok(kind === FrameKind.request || kind === FrameKind.oneWay, 'checksum and kind are right');
    strictEqual(boltProtocol.idOf(each, 0, each.length), i + 1);
    checkFlowKeys(each, random);
  });
  const edited = ask(input, undefined, true, true);
  for (const each of framesOf(edited.sent)) ok(each.includes('fuzz'), 'an edit that got lost');
  whole.relay.client.onClose(Code.upstreamReset);
  strictEqual(whole.relay.server.active, 0, 'no call outlives its upstream');
}

/** Answers: whatever the upstream says, each call is answered once at most, and once in all when it is gone. */
function checkAnswers(input: Buffer, random: FuzzRandom): void {
  const run = (size: number | undefined, ownsReads: boolean): string => {
    const relay = new FramedRelay(bolt, config);
    relay.up.ownsReads = ownsReads;
    for (let id = 1; id <= calls; id++) relay.forward(frame({ id: 100 + id, headers: { service: 'a' } }));
    const got = relay.answer(input, size);
    const early = framesOf(got).map((each) => boltProtocol.idOf(each, 0, each.length));
    strictEqual(new Set(early).size, early.length, 'answered twice');
    strictEqual(relay.server.active, calls - early.length);
    relay.down.writes.length = 0;
    relay.client.onClose(Code.upstreamClosed);
    relay.context.flush();
    const late = framesOf(Buffer.concat(relay.down.writes)).map((each) =>
      boltProtocol.idOf(each, 0, each.length),
    );
    deepStrictEqual([...early, ...late].toSorted(), [101, 102, 103, 104], 'each call has one answer');
    return relay.up.destroyedWith >= 0 ? `closed ${early}` : `${early} ${got.toString('latin1')}`;
  };
  strictEqual(run(1 + random.below(input.length + 1), random.chance(0.5)), run(undefined, true));
}

export const target: FuzzTarget = {
  name: 'bolt',
  generate(random) {
    // What is written without a frame that was read.
    if (random.chance(0.15)) return Buffer.concat([Buffer.of(2), encoderInput(random)]);
    const isAnswer = random.chance(0.4);
    return Buffer.concat([Buffer.of(isAnswer ? 1 : 0), boltFrames(random, isAnswer)]);
  },
  check(input, random) {
    if (input[0] === 2) checkEncoders(input.subarray(1), random);
    else if (input[0] === 1) checkAnswers(input.subarray(1), random);
    else checkRequests(input.subarray(1), random);
  },
};
