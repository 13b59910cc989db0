import { frame, headerMap } from '../../transport/codecs/bolt/frames.ts';
import { damage, type FuzzRandom } from './fuzz.ts';

const services = ['demo.Hello:1.0', 'demo.Order:2.0:group', '', 'a'];
const names = ['app', 'type', 'rpc_trace_context.sofaTraceId', 'Zone', 'x'];
const lengths = [-2, -1, 0, 1, 3, 0x7fff, 0x8000, 0x7fffffff, -2_147_483_648];

/** A header map as clients write it, or one whose lengths lie. */
function headers(random: FuzzRandom): Buffer {
  const map: Record<string, string | null> = {};
  if (random.chance(0.9)) map['service'] = random.pick(services);
  if (random.chance(0.7)) map['sofa_head_method_name'] = random.pick(['say', 'query', '']);
  for (let i = random.below(4); i > 0; i--)
    map[random.pick(names)] = random.chance(0.1) ? null : 'v'.repeat(random.below(40));
  const bytes = headerMap(map);
  if (!random.chance(0.15)) return bytes;
  if (random.chance(0.3)) return Buffer.concat([bytes, bytes]);
  const at = random.below(Math.max(1, bytes.length - 4));
  if (bytes.length >= 4) bytes.writeInt32BE(random.pick(lengths), at);
  return bytes;
}

/** A heartbeat says nothing, or what its sender is. */
function announcement(random: FuzzRandom): Buffer {
  if (random.chance(0.6)) return Buffer.alloc(0);
  return headerMap({ 'heddle-idle-limit-ms': random.pick(['90000', '0', '-1', 'x', '9'.repeat(30)]) });
}

/** A class definition and an instance, as SofaRequest begins in either dialect of hessian; sometimes cut short. */
function content(random: FuzzRandom): Buffer {
  if (random.chance(0.02)) return Buffer.alloc(16_000 + random.below(40_000), 'large');
  const text = (value: string): Buffer => Buffer.from([value.length, ...Buffer.from(value)]);
  const name = Buffer.from('x.Request');
  const fields = Buffer.concat([Buffer.of(0x92), text('methodName'), text('args')]);
  const sofa = Buffer.concat([
    Buffer.of(0x4f, 0x90 + name.length),
    name,
    fields,
    Buffer.of(0x6f, 0x90),
    text('say'),
  ]);
  const final = Buffer.concat([Buffer.of(0x43), text('x.Request'), fields, Buffer.of(0x60), text('say')]);
  const bytes = random.pick([sofa, final, random.bytes(random.below(60)), Buffer.alloc(0)]);
  return random.chance(0.2) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes;
}

function oneFrame(random: FuzzRandom, isAnswer: boolean): Buffer {
  const isV2 = random.chance(0.4);
  const isBeat = random.chance(0.15);
  const type = isAnswer ? 0 : random.chance(0.2) ? 2 : 1;
  const crc = isV2 && random.chance(0.5);
  return frame({
    proto: isV2 ? 2 : 1,
    ver1: random.chance(0.6) ? 2 : 1,
    type,
    command: isBeat ? 0 : random.chance(0.03) ? 100 : isAnswer ? 2 : 1,
    id: isAnswer ? 1 + random.below(5) : random.below(2 ** 31),
    codec: random.pick([1, 1, 11, 12]),
    word: isAnswer ? random.pick([0, 0, 2, 4, 7, 16, 18, 99]) : random.pick([-1, 0, 3000]),
    className: random.pick(['', 'com.alipay.sofa.rpc.core.request.SofaRequest']),
    headers: isBeat ? announcement(random) : headers(random),
    content: isBeat ? Buffer.alloc(0) : content(random),
    crc,
  });
}

/** One to four frames; half of the inputs are then damaged. */
export function boltFrames(random: FuzzRandom, isAnswer: boolean): Buffer {
  const frames = Array.from({ length: 1 + random.below(4) }, () => oneFrame(random, isAnswer));
  const bytes = Buffer.concat(frames);
  return random.chance(0.5) ? damage(bytes, random) : bytes;
}
