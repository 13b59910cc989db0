import { ok, strictEqual } from 'node:assert/strict';
import { hessian2, sofaHessian } from '../../src/transport/codecs/hessian/dialect.ts';
import { defaultHessianLimits } from '../../src/transport/codecs/hessian/limits.ts';
import { HessianText, locateString } from '../../src/transport/codecs/hessian/read.ts';
import { HessianSkipper } from '../../src/transport/codecs/hessian/skipper.ts';
import { damage, type FuzzRandom, type FuzzTarget } from './kit/fuzz.ts';
import { HessianMaker } from './kit/hessian-inputs.ts';

const limits = { ...defaultHessianLimits, maxDepth: 30, maxStringBytes: 1000 };

/** The first byte says how the rest was made: bit 0 damaged, bit 1 SOFA's dialect. */
function generate(random: FuzzRandom): Buffer {
  const isSofa = random.chance(0.5);
  const isDamaged = random.chance(0.5);
  const value = new HessianMaker(random, isSofa).value();
  const bytes = isDamaged ? damage(value, random) : value;
  return Buffer.concat([Buffer.of((isDamaged ? 1 : 0) | (isSofa ? 2 : 0)), bytes]);
}

export const target: FuzzTarget = {
  name: 'hessian',
  generate,
  check(input, random) {
    const kind = input[0] as number;
    const dialect = (kind & 2) === 0 ? hessian2 : sofaHessian;
    const bytes = input.subarray(1);
    const skipper = new HessianSkipper(dialect);
    const end = skipper.skip(bytes, 0, bytes.length);
    ok(Number.isInteger(end) && end >= -8 && end !== 0 && end <= bytes.length, `ends at ${end}`);
    if ((kind & 1) === 0) strictEqual(end, bytes.length, 'a valid value has its end');
    if (end > 0) {
      const padded = Buffer.concat([random.bytes(3), bytes, random.bytes(3)]);
      skipper.reset();
      strictEqual(skipper.skip(padded, 3, padded.length), end + 3, 'what stands around it changes nothing');
      skipper.reset();
      ok(skipper.skip(bytes, 0, random.below(end)) < 0, 'half a value has no end');
    }
    const strict = new HessianSkipper(dialect, limits).skip(bytes, 0, bytes.length);
    ok(strict < 0 || strict === end, 'limits refuse or change nothing');
    const text = new HessianText();
    const stringEnd = locateString(dialect, bytes, 0, bytes.length, text);
    ok(stringEnd < 0 || stringEnd === end, 'a string ends where its value ends');
    if (stringEnd > 0) ok(text.read(dialect, bytes).length < 65_536);
  },
};
