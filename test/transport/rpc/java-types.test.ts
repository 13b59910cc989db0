import test from 'ava';
import { HeddleError } from '../../../src/index.ts';
import { classNameOf, descriptorOf, inferType, typesOf } from '../../../src/transport/rpc/java-types.ts';

const table: readonly (readonly [types: string[], descriptor: string])[] = [
  [[], ''],
  [['java.lang.String'], 'Ljava/lang/String;'],
  [['int', 'long', 'boolean', 'double'], 'IJZD'],
  [['byte', 'char', 'short', 'float', 'void'], 'BCSFV'],
  [['byte[]', 'int[][]'], '[B[[I'],
  [['java.lang.String[]', 'com.example.Outer$Inner'], '[Ljava/lang/String;Lcom/example/Outer$Inner;'],
];

test('types and JVM descriptors translate both ways', (t) => {
  for (const [types, descriptor] of table) {
    t.is(descriptorOf(types), descriptor);
    t.deepEqual(typesOf(descriptor), types);
  }
});

test('names in the form of Class.getName are taken, too', (t) => {
  t.is(descriptorOf(['[B', '[Ljava.lang.String;']), '[B[Ljava/lang/String;');
  t.is(classNameOf('java.lang.String[]'), '[Ljava.lang.String;');
  t.is(classNameOf('int[][]'), '[[I');
  t.is(classNameOf('long'), 'long');
});

test('what is no type is refused, and what is no descriptor gives null', (t) => {
  for (const type of ['', ' ', 'a b', 'a..b', '[Q', '[', 'java/lang/String', '1a', '<T>']) {
    t.throws(() => descriptorOf([type]), { instanceOf: HeddleError, code: 'ERR_RPC_VALUE' }, type);
  }
  for (const descriptor of ['Q', 'L', 'Ljava', '[', 'L;', 'I['.repeat(300)])
    t.is(typesOf(descriptor), null, descriptor);
});

test('the type of a value is guessed as a Java programmer would declare it', (t) => {
  const guesses: readonly (readonly [value: unknown, type: string])[] = [
    ['text', 'java.lang.String'],
    [1, 'int'],
    [2 ** 31, 'long'],
    [1n, 'long'],
    [1.5, 'double'],
    [true, 'boolean'],
    [null, 'java.lang.Object'],
    [undefined, 'java.lang.Object'],
    [new Date(0), 'java.util.Date'],
    [Buffer.alloc(1), 'byte[]'],
    [[1], 'java.util.List'],
    [new Set([1]), 'java.util.List'],
    [{ a: 1 }, 'java.util.Map'],
    [new Map(), 'java.util.Map'],
    [{ $class: 'com.example.User', $: {} }, 'com.example.User'],
  ];
  for (const [value, type] of guesses) t.is(inferType(value), type);
});
