import test from 'ava';
import * as v from 'valibot';
import { mergeExtensions } from '../../../src/core/config/extensions.ts';
import { fakeCodec, fakeExtensions, fakeFilter } from './support.ts';

const names = (list: readonly { readonly name: string }[]) => list.map((each) => each.name);

test('codecs and filters are told apart by shape, other kinds come in a set', (t) => {
  const balancer = {
    name: 'mine',
    config: v.strictObject({}),
    create: () => {
      throw new Error('never');
    },
  };
  const merged = mergeExtensions(fakeExtensions(), [
    fakeCodec('dubbo'),
    fakeFilter('audit', v.strictObject({})),
    { balancers: [balancer] },
  ]);
  t.deepEqual(names(merged.codecs), ['http1', 'bolt', 'dubbo']);
  t.deepEqual(names(merged.filters), ['cors', 'local-rate-limit', 'audit']);
  t.deepEqual(names(merged.balancers), ['roundRobin', 'leastRequest', 'mine']);
  t.deepEqual(names(merged.limiters), []);
});

test('two extensions of one kind may not share a name, of two kinds they may', (t) => {
  t.throws(() => mergeExtensions(fakeExtensions(), [fakeCodec('http1')]), {
    code: 'ERR_EXTENSION_DUPLICATE',
    message: /"http1" in codecs/,
  });
  t.notThrows(() => mergeExtensions(fakeExtensions(), [fakeCodec('cors')]));
});
