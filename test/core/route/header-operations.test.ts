import test from 'ava';
import fc from 'fast-check';
import type { HeaderEditsConfig } from '../../../src/core/contract/config.ts';
import {
  applyHeaderOperations,
  compileEdits,
  mergeEdits,
} from '../../../src/core/route/header-operations.ts';
import { noEdits, requestStream, routeContext } from './support.ts';

const { compileValue } = routeContext();
const edits = (parts: Partial<HeaderEditsConfig>) => compileEdits({ ...noEdits, ...parts }, compileValue);
const headersAfter = (
  levels: readonly Partial<HeaderEditsConfig>[],
  headers: readonly [string, string][],
): [string, string][] => {
  const s = requestStream({ headers });
  const merged = levels.map(edits).reduce(mergeEdits);
  if (merged.request !== null) applyHeaderOperations(merged.request, s.req, s);
  const after: [string, string][] = [];
  s.req.forEach((name, value) => {
    if (name !== 'host') after.push([name.toLowerCase(), value]);
  });
  return after;
};
const operation = (
  name: string,
  value: string,
  action: 'append' | 'addIfAbsent' | 'overwrite' | 'overwriteIfExists',
) => ({
  requestHeaders: [{ name, value, action }],
});

test('the four actions do what Envoy says they do', (t) => {
  const has: [string, string][] = [['x-a', '1']];
  t.deepEqual(headersAfter([operation('X-A', '2', 'append')], has), [
    ['x-a', '1'],
    ['x-a', '2'],
  ]);
  t.deepEqual(headersAfter([operation('X-A', '2', 'append')], []), [['x-a', '2']]);
  t.deepEqual(headersAfter([operation('X-A', '2', 'addIfAbsent')], has), has);
  t.deepEqual(headersAfter([operation('X-A', '2', 'addIfAbsent')], []), [['x-a', '2']]);
  t.deepEqual(headersAfter([operation('X-A', '2', 'overwrite')], has), [['x-a', '2']]);
  t.deepEqual(headersAfter([operation('X-A', '2', 'overwrite')], []), [['x-a', '2']]);
  t.deepEqual(headersAfter([operation('X-A', '2', 'overwriteIfExists')], has), [['x-a', '2']]);
  t.deepEqual(headersAfter([operation('X-A', '2', 'overwriteIfExists')], []), []);
});

test('values with operators are made per request; one that gives nothing adds no header', (t) => {
  const of = (value: string) => headersAfter([operation('x-to', value, 'append')], [['x-from', 'me']]);
  t.deepEqual(of('user %REQ(x-from)%'), [
    ['x-from', 'me'],
    ['x-to', 'user me'],
  ]);
  t.deepEqual(of('%REQ(x-none)%'), [['x-from', 'me']]);
  t.deepEqual(headersAfter([operation('x-from', '%REQ(x-from)%!', 'overwrite')], [['x-from', 'me']]), [
    ['x-from', 'me!'],
  ]);
});

test('each level removes before it adds, and an outer level is applied after an inner one', (t) => {
  const inner = { ...operation('x-a', 'inner', 'append'), removeRequestHeaders: ['x-a', 'x-gone'] };
  const outer = operation('x-a', 'outer', 'append');
  t.deepEqual(
    headersAfter(
      [inner, outer],
      [
        ['x-a', '0'],
        ['X-Gone', '1'],
      ],
    ),
    [
      ['x-a', 'inner'],
      ['x-a', 'outer'],
    ],
  );
  t.deepEqual(headersAfter([inner, { removeRequestHeaders: ['X-A'] }], [['x-a', '0']]), []);
});

test('merged levels do what the levels would one after the other', (t) => {
  const name = fc.constantFrom('x-a', 'x-b');
  const level = fc.record({
    removeRequestHeaders: fc.uniqueArray(name, { maxLength: 2 }),
    requestHeaders: fc.array(
      fc.record({
        name,
        value: fc.constantFrom('1', '2', '%REQ(x-a)%'),
        action: fc.constantFrom(
          'append' as const,
          'addIfAbsent' as const,
          'overwrite' as const,
          'overwriteIfExists' as const,
        ),
      }),
      { maxLength: 3 },
    ),
  });
  const headers = fc.array(fc.tuple(name, fc.constantFrom('7', '8')), { maxLength: 3 });
  fc.assert(
    fc.property(fc.array(level, { minLength: 1, maxLength: 4 }), headers, (levels, given) => {
      const s = requestStream({ headers: given });
      for (const each of levels) {
        const { request } = edits(each);
        if (request !== null) applyHeaderOperations(request, s.req, s);
      }
      t.deepEqual(
        headersAfter(levels, given),
        s.req.getAll('x-a').length + s.req.getAll('x-b').length === 0 ? [] : listOf(s),
      );
    }),
    { numRuns: 2000, seed: 4 },
  );
});

function listOf(s: ReturnType<typeof requestStream>): [string, string][] {
  const list: [string, string][] = [];
  s.req.forEach((name, value) => {
    if (name !== 'host') list.push([name.toLowerCase(), value]);
  });
  return list;
}
