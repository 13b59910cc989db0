import test from 'ava';
import {
  type HessianDialect,
  hessian2,
  sofaHessian,
} from '../../../../src/transport/codecs/hessian/dialect.ts';
import { HessianProblem } from '../../../../src/transport/codecs/hessian/problems.ts';
import { HessianSkipper } from '../../../../src/transport/codecs/hessian/skipper.ts';
import { HessianWriter } from '../../../../src/transport/codecs/hessian/writer.ts';
import { wireBytes, wireCases } from '../../../fixtures/wire/index.ts';
import { Rewriter } from './rewrite.ts';

interface Case {
  readonly kind: string;
  readonly value: unknown;
  readonly same: boolean;
  readonly hex: string;
}

const cases = wireCases<Case>('hessian2');
const sofaCases = wireCases<{ name: string; hex: string }>('sofa-hessian');
const titleOf = ({ kind, value, hex }: Case): string =>
  `${kind} ${JSON.stringify(value)} ${hex.slice(0, 20)}`;

const dialects: readonly [string, HessianDialect, { title: string; bytes: Buffer }[]][] = [
  ['Caucho', hessian2, cases.map((each) => ({ title: titleOf(each), bytes: wireBytes(each.hex) }))],
  [
    'sofa-hessian-node',
    sofaHessian,
    sofaCases.map((each) => ({ title: each.name, bytes: wireBytes(each.hex) })),
  ],
];

for (const [writer, dialect, values] of dialects) {
  test(`every value of ${writer} is skipped to its exact end, whatever follows`, (t) => {
    t.true(values.length >= 60);
    const skipper = new HessianSkipper(dialect);
    for (const { title, bytes } of values) {
      for (const tail of ['', '00', '5a', '7a', 'ff5a4e']) {
        const all = Buffer.concat([bytes, Buffer.from(tail, 'hex')]);
        skipper.reset();
        t.is(skipper.skip(all, 0, all.length), bytes.length, title);
      }
    }
  });

  test(`every value of ${writer} is truncated at every byte before its end`, (t) => {
    const skipper = new HessianSkipper(dialect);
    for (const { title, bytes } of values) {
      for (let end = 0; end < Math.min(bytes.length, 300); end++) {
        skipper.reset();
        const got = skipper.skip(bytes, 0, end);
        // A count that cannot fit any more is called a bad length.
        const isCut = got === HessianProblem.truncated || got === HessianProblem.badLength;
        t.true(isCut, `${title} at ${end}: ${got}`);
      }
    }
  });
}

test('values that two independent encoders write alike are written alike here', (t) => {
  const same = cases.filter((each) => each.same);
  t.is(same.length, 88);
  for (const each of same) {
    const writer = new HessianWriter();
    // Minus zero is written as zero: take it from the value, the bytes have lost it.
    if (each.kind === 'double' && each.value === '-0.0') writer.double(-0);
    else new Rewriter(wireBytes(each.hex), writer).value();
    t.deepEqual(writer.bytes(), wireBytes(each.hex), titleOf(each));
  }
});
