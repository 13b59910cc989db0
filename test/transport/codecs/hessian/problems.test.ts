import test from 'ava';
import { hessian2, sofaHessian } from '../../../../src/transport/codecs/hessian/dialect.ts';
import { defaultHessianLimits } from '../../../../src/transport/codecs/hessian/limits.ts';
import { HessianProblem, hessianProblemText } from '../../../../src/transport/codecs/hessian/problems.ts';
import { HessianText, locateString, noInt, readInt } from '../../../../src/transport/codecs/hessian/read.ts';
import { HessianSkipper } from '../../../../src/transport/codecs/hessian/skipper.ts';
import { HessianWriter } from '../../../../src/transport/codecs/hessian/writer.ts';

const { truncated, badTag, tooDeep, tooMany, tooLong, badLength, badReference, badText } = HessianProblem;

const skip = (hex: string, dialect = hessian2, limits = {}): number => {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  return new HessianSkipper(dialect, { ...defaultHessianLimits, ...limits }).skip(bytes, 0, bytes.length);
};

const refused: readonly [string, number][] = [
  ['', truncated],
  ['5a', badTag],
  ['45', badTag],
  ['48 91 5a', badTag],
  ['49 0000', truncated],
  ['58 4e', badTag],
  ['58 49 7fffffff', badLength],
  ['58 80', badLength],
  ['56 91 91 90', badReference],
  ['70 c8', truncated],
  ['51 90', badReference],
  ['51 4e', badTag],
  ['79 51 8f', badReference],
  ['60', badReference],
  ['4f 91', badReference],
  ['43 0141 49 7fffffff', badLength],
  ['43 0141 4e', badTag],
  ['43 0141 8f', badLength],
  ['43 0141', truncated],
  ['02 c3a9 80', badText],
  ['01 c341', badText],
  ['01 f0 9f 98 80', badText],
  ['01 ff', badText],
  ['02 e4b8', truncated],
  ['53 0001', truncated],
  ['52 0001 61 4e', badTag],
  ['30', truncated],
  ['34', truncated],
  ['41 0001 00 4e', badTag],
  ['42 00', truncated],
];
const refusedSofa: readonly [string, number][] = [
  ['7a', badTag],
  ['48', badTag],
  ['56 6e 02 90 7a', badTag],
  ['56 6e 01 90 90', badLength],
  ['56 6c 7fffffff', badLength],
  ['56 6c 7f', truncated],
  ['56 75 90 6e 00 7a', badReference],
  ['56 75 4e', badTag],
  ['56 74 00', truncated],
  ['76 90 90', badReference],
  ['4a 00', badReference],
  ['4b 00', truncated],
  ['4f 4e', badTag],
  ['4f 8f', badLength],
  ['4f 92 61', truncated],
  ['6f', truncated],
];

test('what is wrong with a value is told by its problem', (t) => {
  for (const [hex, problem] of refused) t.is(skip(hex), problem, hex);
  for (const [hex, problem] of refusedSofa) t.is(skip(hex, sofaHessian), problem, `sofa ${hex}`);
});

test('limits hold depth, references, classes, types, fields and lengths', (t) => {
  t.is(skip('79797979', hessian2, { maxDepth: 3 }), tooDeep);
  t.is(skip('79797990', hessian2, { maxDepth: 3 }), 4);
  t.is(skip('7a 78 78', hessian2, { maxReferences: 2 }), tooMany);
  t.is(skip('43014191016160 43', hessian2, { maxClasses: 0 }), tooMany);
  t.is(skip('430141920161016260', hessian2, { maxFields: 1 }), tooMany);
  t.is(skip('70 0141', hessian2, { maxClasses: 0 }), tooMany);
  t.is(skip('56 74 0001 41 7a', sofaHessian, { maxClasses: 0 }), tooMany);
  t.is(skip('520002616102 6161', hessian2, { maxStringBytes: 6 }), tooLong);
  t.is(skip('4100020000 22 0000', hessian2, { maxStringBytes: 6 }), tooLong);
});

test('ten thousand lists within one another are refused without deep calls', (t) => {
  t.is(skip('79'.repeat(10_000)), tooDeep);
  t.is(skip('79'.repeat(10_000), hessian2, { maxDepth: 20_000 }), truncated);
  t.is(skip('57'.repeat(10_000) + '5a'.repeat(10_000), hessian2, { maxDepth: 20_000 }), 20_000);
});

test('a value of deep nesting leaves those behind it readable', (t) => {
  const skipper = new HessianSkipper(hessian2);
  const deep = Buffer.concat([Buffer.alloc(40, 0x79), Buffer.from('90', 'hex')]);
  // A list of two: a map with one entry, and a number.
  const nested = Buffer.from('7a 48 91 92 5a 93'.replaceAll(' ', ''), 'hex');
  const both = Buffer.concat([deep, nested, nested]);
  t.is(skipper.skip(both, 0, both.length), deep.length);
  t.is(skipper.skip(both, deep.length, both.length), deep.length + nested.length);
  t.is(skipper.skip(both, deep.length + nested.length, both.length), both.length);
});

test('classes, types and references last for a message and no longer', (t) => {
  const bytes = new HessianWriter().object('A', ['x']).int(1).object('A', ['x']).reference(0).bytes();
  const skipper = new HessianSkipper(hessian2);
  const first = skipper.skip(bytes, 0, bytes.length);
  t.true(first > 0);
  t.is(skipper.skip(bytes, first, bytes.length), bytes.length);
  t.is(skipper.references, 2);
  skipper.reset();
  t.is(skipper.skip(bytes, first, bytes.length), badReference);
});

test('text is read from CESU-8, UTF-8 and chunks', (t) => {
  const text = new HessianText();
  const read = (hex: string, dialect = hessian2): string | number => {
    const bytes = Buffer.from(hex, 'hex');
    const end = locateString(dialect, bytes, 0, bytes.length, text);
    return end < 0 ? end : text.read(dialect, bytes);
  };
  t.is(read('0478eda0bdedb88079'), 'x😀y');
  t.is(read('0478f09f988079'), 'x😀y');
  t.is(read('5200026869053a206f6b21'), 'hi: ok!');
  t.is(read('7300026869053a206f6b21', sofaHessian), 'hi: ok!');
  t.is(read('4e'), '');
  t.true(text.isNull);
  t.is(read('02f7bfbfbf'), '\ufffd');
  t.is(read('91'), badTag);
  t.is(read('52000268'), truncated);
});

test('ints have four forms', (t) => {
  const read = (hex: string): number => readInt(Buffer.from(hex, 'hex'), 0, hex.length / 2);
  t.deepEqual(['8f', 'c7ef', 'd3f7ff', '4980000000'].map(read), [-1, -17, -2049, -2_147_483_648]);
  t.deepEqual(['', 'c7', 'd3f7', '49800000', 'e0'].map(read), [noInt, noInt, noInt, noInt, noInt]);
});

test('a map can be gone through entry by entry', (t) => {
  const bytes = new HessianWriter().mapStart('java.util.TreeMap').string('a').list(1).int(3).end().bytes();
  const skipper = new HessianSkipper(hessian2);
  const key = skipper.openMap(bytes, 0, bytes.length);
  const value = skipper.skip(bytes, key, bytes.length);
  const end = skipper.skip(bytes, value, bytes.length);
  t.false(skipper.isEnd(bytes, value, bytes.length));
  t.true(skipper.isEnd(bytes, end, bytes.length));
  t.is(end, bytes.length - 1);
  t.is(skipper.openMap(bytes, key, bytes.length), badTag);
  t.is(skipper.openMap(bytes, 0, 0), truncated);
});

test('a problem has a text', (t) => {
  t.is(hessianProblemText(badReference), 'hessian: bad reference');
  t.is(hessianProblemText(-99), 'hessian: unknown problem');
});
