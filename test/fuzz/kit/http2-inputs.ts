import { block, F, type Field, frame, preface, settings, u32 } from '../../transport/codecs/http2/harness.ts';
import { damage, type FuzzRandom } from './fuzz.ts';

/** A connection as a client writes it: preface, SETTINGS, then up to eight frames or bursts of them. */
export interface FrameSequence {
  readonly bytes: Buffer;
  /** What was generated, for messages: "headers(1) data(1)+end ..." */
  readonly label: string;
  /** Streams whose heads have something in them that servers may judge differently. */
  readonly strange: ReadonlySet<number>;
}

interface Maker {
  readonly random: FuzzRandom;
  nextId: number;
  readonly labels: string[];
  readonly strange: Set<number>;
}

const endStream = 1;
const endHeaders = 4;
const plain: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/a'],
  [':authority', 'one.test'],
];
const extras: readonly Field[] = [
  ['accept', '*/*'],
  ['x-a', ''],
  ['cookie', 'a=1'],
  ['te', 'trailers'],
  ['content-type', 'text/plain'],
];
const strange: readonly Field[] = [
  ['te', 'gzip'],
  ['connection', 'close'],
  ['X-A', '1'],
  [':path', '/b'],
  [':other', '1'],
  ['x-a', 'a\r\nb'],
  ['', '1'],
  ['content-length', '3'],
  ['content-length', 'x'],
  ['host', 'two.test'],
  [':status', '200'],
  ['transfer-encoding', 'chunked'],
  ['x-a', ' b'],
];

/** A stream id: mostly one that is open, or the next. */
function someId({ random, nextId }: Maker): number {
  if (random.chance(0.1)) return random.pick([0, 2, nextId, nextId + 2]);
  return Math.max(1, nextId - 2 * (1 + random.below(2)));
}

function headBlock(maker: Maker): Buffer {
  const { random } = maker;
  let fields: Field[] = plain.map(([name, value]) => [
    name,
    name === ':method' ? random.pick(['GET', 'POST', 'HEAD']) : value,
  ]);
  while (random.chance(0.4)) fields.push(random.pick(extras));
  if (random.chance(0.12)) {
    fields.push(random.pick(strange));
    maker.strange.add(maker.nextId);
  }
  if (random.chance(0.04)) {
    fields = fields.filter(() => random.chance(0.8));
    maker.strange.add(maker.nextId);
  }
  return block(...fields);
}

function requestHead(maker: Maker): Buffer {
  const { random, labels } = maker;
  const id = maker.nextId;
  const end = random.chance(0.5) ? endStream : 0;
  const payload = headBlock(maker);
  maker.nextId += random.chance(0.05) ? 4 : 2;
  labels.push(`headers(${id})${end === 1 ? '+end' : ''}`);
  if (random.chance(0.1)) {
    const cut = random.below(payload.length);
    const last = frame(F.continuation, endHeaders, random.chance(0.05) ? id + 2 : id, payload.subarray(cut));
    return Buffer.concat([frame(F.headers, end, id, payload.subarray(0, cut)), last]);
  }
  if (random.chance(0.1)) {
    const dependsOn = random.chance(0.2) ? id : 0;
    const priority = Buffer.concat([u32(dependsOn), Buffer.of(15), payload]);
    return frame(F.headers, end | endHeaders | 32, id, priority);
  }
  if (random.chance(0.1)) {
    const padded = Buffer.concat([Buffer.of(3), payload, Buffer.alloc(3)]);
    return frame(F.headers, end | endHeaders | 8, id, padded);
  }
  return frame(F.headers, end | endHeaders, id, payload);
}

type Make = (maker: Maker) => Buffer;

const controls: readonly (readonly [string, Make])[] = [
  [
    'ping',
    ({ random }) =>
      frame(F.ping, random.below(2), random.chance(0.05) ? 1 : 0, Buffer.alloc(random.chance(0.05) ? 7 : 8)),
  ],
  [
    'settings',
    ({ random }) =>
      frame(
        F.settings,
        0,
        0,
        settings([random.pick([1, 2, 3, 4, 5, 6, 9]), random.pick([0, 1, 100, 16_384, 65_535, 2 ** 31])]),
      ),
  ],
  ['settings ack', ({ random }) => frame(F.settings, 1, 0, Buffer.alloc(random.chance(0.1) ? 6 : 0))],
  [
    'window',
    (maker) =>
      frame(
        F.window,
        0,
        maker.random.chance(0.4) ? 0 : someId(maker),
        u32(maker.random.pick([0, 1, 65_535, 2 ** 31 - 1])),
      ),
  ],
  ['rst', (maker) => frame(F.rst, 0, someId(maker), u32(maker.random.pick([0, 8])))],
  [
    'priority',
    (maker) => frame(F.priority, 0, someId(maker), Buffer.concat([u32(maker.random.below(4)), Buffer.of(1)])),
  ],
  [
    'unknown',
    ({ random }) =>
      frame(11 + random.below(100), random.below(256), random.below(3), random.bytes(random.below(9))),
  ],
  ['goaway', ({ random }) => frame(F.goAway, 0, 0, Buffer.alloc(random.chance(0.1) ? 4 : 8))],
  ['push', (maker) => frame(F.push, 4, someId(maker), Buffer.alloc(4))],
  ['continuation', (maker) => frame(F.continuation, 4, someId(maker), block(['x-b', '1']))],
];

function data(maker: Maker): Buffer {
  const { random, labels } = maker;
  const id = someId(maker);
  const end = random.chance(0.5) ? endStream : 0;
  labels.push(`data(${id})${end === 1 ? '+end' : ''}`);
  const body = Buffer.alloc(random.pick([0, 1, 3, 3, 100]), 0x62);
  if (!random.chance(0.15)) return frame(F.data, end, id, body);
  const padding = random.below(5);
  return frame(
    F.data,
    end | 8,
    id,
    Buffer.concat([Buffer.of(random.chance(0.1) ? 255 : padding), body, Buffer.alloc(padding)]),
  );
}

function trailers(maker: Maker): Buffer {
  const { random, labels } = maker;
  const id = someId(maker);
  labels.push(`trailers(${id})`);
  const payload = block(random.chance(0.1) ? [':path', '/b'] : ['x-sum', '1']);
  return frame(F.headers, endHeaders | (random.chance(0.9) ? endStream : 0), id, payload);
}

function control(maker: Maker): Buffer {
  const [label, make] = maker.random.pick(controls);
  maker.labels.push(label);
  return make(maker);
}

export function frameSequence(random: FuzzRandom): FrameSequence {
  const maker: Maker = { random, nextId: 1, labels: [], strange: new Set() };
  const pieces = [preface, frame(F.settings, 0, 0)];
  for (let i = 1 + random.below(8); i > 0; i--) {
    const kind = random.next();
    if (kind < 0.4) pieces.push(requestHead(maker));
    else if (kind < 0.65) pieces.push(data(maker));
    else if (kind < 0.75) pieces.push(trailers(maker));
    else pieces.push(control(maker));
  }
  let bytes = Buffer.concat(pieces);
  if (random.chance(0.05)) {
    bytes = Buffer.concat([bytes.subarray(0, 33), damage(bytes.subarray(33), random)]);
    maker.labels.push('damaged');
  }
  return { bytes, label: maker.labels.join(' '), strange: maker.strange };
}
