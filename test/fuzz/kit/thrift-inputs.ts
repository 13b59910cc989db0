import { HeadView } from '../../../src/core/base/head-view.ts';
import { Inner } from '../../../src/transport/codecs/thrift/constants.ts';
import { writeFrame } from '../../../src/transport/codecs/thrift/encode.ts';
import { writeException } from '../../../src/transport/codecs/thrift/exception.ts';
import type { FuzzRandom } from './fuzz.ts';

/** One frame of Thrift: either protocol, with and without THeader, all types. */
export function thriftFrame(random: FuzzRandom): Buffer {
  const inner = random.pick([Inner.binary, Inner.compact]);
  const type = 1 + random.below(4);
  const head = new HeadView();
  for (let i = random.below(4); i > 0; i--) head.add(`h${random.below(9)}`, 'v'.repeat(random.below(200)));
  const body =
    type === 3
      ? writeException(random.below(13), Buffer.from('failed'), inner)
      : random.bytes(random.below(40));
  return writeFrame(
    {
      isHeader: random.chance(0.5),
      inner,
      type,
      name: Buffer.from(random.pick(['add', 'Service:add', ':', '', 'x'.repeat(200)])),
      id: random.pick([0, 5, 200, 70_000, 0x7fffffff]),
      body,
    },
    head,
  );
}
