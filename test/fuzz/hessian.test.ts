import test from 'ava';
import { target } from './hessian.ts';
import { fuzz } from './kit/fuzz.ts';

test('20,000 hessian values of both dialects, half of them damaged: an end or a reason, never a throw', (t) => {
  t.notThrows(() => fuzz(target, 20_000, 1));
});
