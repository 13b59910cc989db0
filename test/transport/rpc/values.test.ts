import test from 'ava';
import fc from 'fast-check';
import { HeddleError } from '../../../src/index.ts';
import type { RpcProtocol } from '../../../src/transport/rpc/call.ts';
import { engineOf, protocols, readRequest, readResponse, request } from './support.ts';

/** What a value is at the other end. */
function across(protocol: RpcProtocol, value: unknown, type = 'java.lang.Object'): unknown {
  const engine = engineOf(protocol);
  const frame = engine.messages.encodeRequest(request({ args: [value], argTypes: [type] }));
  return readRequest(engine, frame).request.args[0];
}

function back(protocol: RpcProtocol, value: unknown): unknown {
  const engine = engineOf(protocol);
  const incoming = readRequest(engine, engine.messages.encodeRequest(request()));
  const outcome = readResponse(engine, incoming.answer({ kind: 'value', value, attachments: {} }));
  return outcome.kind === 'value' ? outcome.value : outcome;
}

const key = fc
  .string({ maxLength: 12, unit: 'grapheme' })
  .filter((name) => name !== '$class' && name !== '$');
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true }).map((each) => (Object.is(each, -0) ? 0 : each)),
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.date({ noInvalidDate: true, min: new Date(-1e12), max: new Date(4e12) }),
    fc.uint8Array({ maxLength: 64 }).map((each) => Buffer.from(each)),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
    fc.array(tie('tree'), { maxLength: 5 }),
    fc.dictionary(key, tie('tree'), { maxKeys: 5 }).map((each) => ({ ...each })),
  ),
}));

for (const protocol of protocols) {
  test(`${protocol}: any value of JavaScript's own kinds comes out as it went in, in both directions`, (t) => {
    fc.assert(
      fc.property(tree, (value) => {
        t.deepEqual(across(protocol, value), value);
        t.deepEqual(back(protocol, value), value);
      }),
      { numRuns: 150 },
    );
    t.pass();
  });

  test(`${protocol}: long texts and bytes, and chunk borders`, (t) => {
    for (const size of [31, 32, 1023, 1024, 4093, 32_767, 32_768, 32_769, 70_000]) {
      t.is(across(protocol, 'é'.repeat(size)), 'é'.repeat(size));
      t.is(across(protocol, '😀'.repeat(size)), '😀'.repeat(size));
      t.deepEqual(across(protocol, Buffer.alloc(size, 7)), Buffer.alloc(size, 7));
    }
  });

  test(`${protocol}: a declared type decides what goes over the wire`, (t) => {
    t.is(across(protocol, 5, 'long'), 5);
    t.is(across(protocol, '9223372036854775807', 'long'), 2n ** 63n - 1n);
    t.is(across(protocol, -(2n ** 63n), 'long'), -(2n ** 63n));
    t.is(across(protocol, 5, 'double'), 5);
    t.is(across(protocol, 7, 'java.lang.Short'), 7);
    t.deepEqual(across(protocol, '2020-01-01T00:00:00Z', 'java.util.Date'), new Date('2020-01-01T00:00:00Z'));
    t.deepEqual(across(protocol, 'YWJj', 'byte[]'), Buffer.from('abc'));
    t.deepEqual(across(protocol, [1, 2], 'long[]'), [1, 2]);
    t.deepEqual(across(protocol, ['a', 'b'], 'java.lang.String[]'), ['a', 'b']);
    t.deepEqual(across(protocol, { name: 'ann', age: 4 }, 'com.example.User'), { name: 'ann', age: 4 });
    t.is(across(protocol, null, 'long'), null);
  });

  test(`${protocol}: a value that its type cannot hold is refused with its type`, (t) => {
    const wrong: readonly (readonly [value: unknown, type: string])[] = [
      ['x', 'long'],
      [1.5, 'long'],
      [2n ** 63n, 'long'],
      [300, 'byte'],
      [40_000, 'short'],
      [2 ** 31, 'int'],
      [1.5, 'int'],
      ['1', 'double'],
      [1, 'java.lang.String'],
      ['true', 'boolean'],
      ['yesterday', 'java.util.Date'],
      ['***', 'byte[]'],
      [() => 1, 'java.lang.Object'],
      [Symbol('x'), 'java.lang.Object'],
    ];
    for (const [value, type] of wrong) {
      const error = t.throws(() => across(protocol, value, type), {
        instanceOf: HeddleError,
        code: 'ERR_RPC_VALUE',
      });
      if (typeof value !== 'function' && typeof value !== 'symbol')
        t.true(error?.message.includes(type), type);
    }
  });

  test(`${protocol}: classes, maps with other keys, sets and values that occur twice`, (t) => {
    t.deepEqual(across(protocol, { $class: 'com.example.User', $: { name: 'ann', tags: new Set(['x']) } }), {
      name: 'ann',
      tags: ['x'],
    });
    const shared = { a: 1 };
    const [first, second] = across(protocol, [shared, shared]) as [object, object];
    t.is(first, second);
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    const read = across(protocol, cycle) as { self: unknown };
    t.is(read.self, read);
    let deep: unknown = null;
    for (let i = 0; i < 200; i++) deep = [deep];
    t.throws(() => across(protocol, deep), { instanceOf: HeddleError, code: 'ERR_RPC_VALUE' });
  });

  test(`${protocol}: a key named __proto__ is a key`, (t) => {
    const value = JSON.parse('{"__proto__": {"isAdmin": true}, "constructor": 1}') as object;
    const read = across(protocol, value) as Record<string, unknown>;
    t.is(Object.getPrototypeOf(read), Object.prototype);
    // SOFA's library loses it; nothing else may come of it.
    t.deepEqual(
      Object.keys(read).sort(),
      protocol === 'bolt' ? ['constructor'] : ['__proto__', 'constructor'],
    );
    t.is((read as { isAdmin?: boolean }).isAdmin, undefined);
  });
}

test('dubbo: maps with keys that are no names stay maps', (t) => {
  const map = new Map([
    [1, 'one'],
    [2, 'two'],
  ]);
  t.deepEqual(across('dubbo', map), map);
});
