import test from 'ava';
import { Match } from '../../../../src/core/contract/codec.ts';
import { dubboProtocol } from '../../../../src/transport/codecs/dubbo/protocol.ts';
import { FrameKind, needsMore, notAFrame } from '../../../../src/transport/codecs/framed/index.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const sizeOf = (hex: string): number => dubboProtocol.sizeOf(bytes(hex), 0, bytes(hex).length);
const kindOf = (hex: string): FrameKind => dubboProtocol.kindOf(bytes(hex), 0, bytes(hex).length);

test('a frame begins with its magic, and its length is no negative number', (t) => {
  t.is(dubboProtocol.match(bytes('da'), 0, 1), Match.more);
  t.is(dubboProtocol.match(bytes('dabc'), 0, 2), Match.no);
  t.is(sizeOf('dabbc200 0000000000000001 0000000'.slice(0, 28)), needsMore);
  t.is(sizeOf('dabbc200 0000000000000001 00000007'), 23);
  t.is(sizeOf('dabbc200 0000000000000001 80000000'), notAFrame);
  t.is(
    sizeOf('dabbc200 0000000000000001 7fffffff'),
    notAFrame,
    'with its header it would be too long for an int',
  );
  t.is(sizeOf('00'), notAFrame);
});

test('events: heartbeats, read-only and others', (t) => {
  t.is(kindOf('dabbe200 0000000000000001 00000001 4e'), FrameKind.heartbeat);
  t.is(kindOf('dabbe200 0000000000000001 00000000'), FrameKind.heartbeat, 'without a body');
  t.is(kindOf('dabb2214 0000000000000001 00000002 4e4e'), FrameKind.heartbeatAck, "MOSN's two nulls");
  t.is(kindOf('dabba200 0000000000000001 00000002 0152'), FrameKind.goAway);
  t.is(kindOf('dabba200 0000000000000001 00000002 0157'), FrameKind.ignored, 'writeable again');
  t.is(kindOf('dabba600 0000000000000001 00000002 0152'), FrameKind.ignored, 'another serialization');
});

test('a heartbeat is answered with its id and in its serialization, a one-way event not', (t) => {
  const answer = (hex: string): string | undefined =>
    dubboProtocol.heartbeatAck(bytes(hex), 0, bytes(hex).length, null)?.toString('hex');
  t.is(answer('dabbe200 0123456789abcdef 00000001 4e'), 'dabb22140123456789abcdef000000014e');
  t.is(answer('dabbe600 0123456789abcdef 00000004 6e756c6c'), 'dabb26140123456789abcdef000000046e756c6c');
  t.is(answer('dabba200 0000000000000001 00000001 4e'), undefined);
});

test('own heartbeats and the farewell are those of Java', (t) => {
  t.is(dubboProtocol.heartbeat(9, null).toString('hex'), 'dabbe2000000000000000009000000014e');
  t.is(dubboProtocol.goAway(false, 10)?.toString('hex'), 'dabba200000000000000000a000000020152');
  t.is(dubboProtocol.announcementOf(Buffer.alloc(0), 0, 0), null);
});

test('an answer whose id has more bits than ours answers nothing', (t) => {
  const answer = bytes('dabb0214 0000000100000005 00000001 92');
  t.is(dubboProtocol.idOf(answer, 0, answer.length), 0);
  const request = bytes('dabbc200 0000000100000005 00000001 92');
  t.is(dubboProtocol.idOf(request, 0, request.length), 5);
  t.is(dubboProtocol.idHighOf(request, 0, request.length), 1);
});
