import test from 'ava';
import fc from 'fast-check';
import { HeddleError } from '../../../src/index.ts';
import { httpStatusOf } from '../../../src/transport/codecs/bolt/status.ts';
import { toHttpStatus } from '../../../src/transport/codecs/dubbo/status.ts';
import type { RpcOutcome } from '../../../src/transport/rpc/call.ts';
import { genericCallOf, genericRequestOf } from '../../../src/transport/rpc/generic.ts';
import { bytesOf, vectors } from '../codecs/bolt/frames.ts';
import { engineOf, protocols, readRequest, readResponse, request } from './support.ts';

const full = request({
  group: 'blue',
  args: ['ann', 1, [true, null], { since: new Date(0) }],
  argTypes: ['java.lang.String', 'int', 'java.util.List', 'java.util.Map'],
  attachments: { tenant: 'acme', ключ: 'значение 😀' },
  timeoutMs: 250,
});

const outcomes: readonly RpcOutcome[] = [
  { kind: 'value', value: { a: [1, null, 'x'] }, attachments: { served: 'here' } },
  { kind: 'value', value: null, attachments: {} },
  { kind: 'value', value: 0, attachments: {} },
  { kind: 'value', value: false, attachments: {} },
  { kind: 'value', value: '', attachments: {} },
];

for (const protocol of protocols) {
  const engine = engineOf(protocol);

  test(`${protocol}: a call is read as it was written, and what filters changed in the head counts`, (t) => {
    const frame = engine.messages.encodeRequest(full);
    const { request: read } = readRequest(engine, frame);
    t.deepEqual(read, full);
  });

  test(`${protocol}: a one-way call says so in its frame`, (t) => {
    const frame = engine.messages.encodeRequest(request({ isOneway: true }));
    t.true(readRequest(engine, frame).request.isOneway);
  });

  test(`${protocol}: values, falsy ones too, and attachments come back`, (t) => {
    const incoming = readRequest(engine, engine.messages.encodeRequest(full));
    for (const outcome of outcomes) t.deepEqual(readResponse(engine, incoming.answer(outcome)), outcome);
  });

  test(`${protocol}: exceptions keep class and message whatever their name`, (t) => {
    const incoming = readRequest(engine, engine.messages.encodeRequest(full));
    for (const className of ['com.example.NoSuchUserException', 'com.example.Fault', 'java.lang.Error']) {
      const exception = { className, message: 'was soll das?', stack: '' };
      const read = readResponse(engine, incoming.answer({ kind: 'exception', exception, attachments: {} }));
      t.is(read.kind, 'exception');
      if (read.kind !== 'exception') return;
      t.like(read.exception, { className, message: 'was soll das?' });
    }
  });

  test(`${protocol}: a refusal keeps status and message`, (t) => {
    const incoming = readRequest(engine, engine.messages.encodeRequest(full));
    for (const httpStatus of [400, 404, 429, 500, 503, 504]) {
      const status = engine.messages.statusFor(httpStatus);
      const answer = incoming.answer({ kind: 'failure', status, message: 'no, thanks' });
      t.deepEqual(readResponse(engine, answer), { kind: 'failure', status, message: 'no, thanks' });
    }
  });

  test(`${protocol}: damaged calls and answers are refused, never anything else`, (t) => {
    const incoming = readRequest(engine, engine.messages.encodeRequest(full));
    const answer = incoming.answer(outcomes[0] as RpcOutcome);
    const call = engine.messages.encodeRequest(full);
    const reads = [
      [call, (frame: Buffer) => readRequest(engine, frame)],
      [answer, (frame: Buffer) => readResponse(engine, frame)],
    ] as const;
    // The fixed part is the codec's business; it only hands on frames that are whole.
    fc.assert(
      fc.property(
        fc.constantFrom(...reads),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        ([frame, read], changes) => {
          const damaged = Buffer.from(frame);
          for (const [at, byte] of changes) damaged[24 + (at % (damaged.length - 24))] = byte;
          try {
            read(damaged);
          } catch (thrown) {
            t.true(thrown instanceof HeddleError && thrown.code === 'ERR_RPC_VALUE', String(thrown));
          }
        },
      ),
      { numRuns: 1500 },
    );
    t.pass();
  });
}

test('bolt: frames of another implementation are read as its authors meant them', (t) => {
  const engine = engineOf('bolt');
  let requests = 0;
  let responses = 0;
  for (const vector of vectors) {
    if (vector.decoded.codec !== 1 || vector.decoded.cmdCode === 0) continue;
    if (vector.name.includes('appends crc')) continue;
    const frame = bytesOf(vector);
    if (vector.kind === 'request') {
      requests++;
      t.regex(readRequest(engine, frame).request.method, /^\w+$/, vector.name);
    } else {
      responses++;
      const { kind } = readResponse(engine, frame);
      t.is(kind === 'failure', vector.decoded.status !== 0, vector.name);
    }
  }
  t.true(requests > 10 && responses > 10);
});

test('statuses follow tables in both directions', (t) => {
  const bolt = engineOf('bolt').messages;
  const dubbo = engineOf('dubbo').messages;
  const towards: readonly (readonly [http: number, bolt: number, dubbo: number])[] = [
    [200, 0, 20],
    [204, 0, 20],
    [400, 9, 40],
    [403, 2, 70],
    [404, 6, 60],
    [408, 7, 31],
    [429, 4, 100],
    [500, 3, 80],
    [502, 16, 35],
    [503, 4, 100],
    [504, 7, 31],
  ];
  for (const [http, ofBolt, ofDubbo] of towards) {
    t.is(bolt.statusFor(http), ofBolt, `HTTP ${http} in Bolt`);
    t.is(dubbo.statusFor(http), ofDubbo, `HTTP ${http} in Dubbo`);
  }
  const fromBolt = {
    0: 200,
    1: 500,
    2: 500,
    3: 500,
    4: 503,
    5: 500,
    6: 500,
    7: 504,
    8: 500,
    9: 500,
    16: 502,
    18: 500,
  };
  for (const [status, http] of Object.entries(fromBolt)) t.is(httpStatusOf(Number(status)), http, status);
  const fromDubbo = {
    20: 200,
    25: 500,
    30: 504,
    31: 504,
    35: 502,
    40: 400,
    50: 502,
    60: 404,
    80: 500,
    100: 503,
  };
  for (const [status, http] of Object.entries(fromDubbo)) t.is(toHttpStatus(Number(status)), http, status);
});

test('a generic call stands for the call it names', (t) => {
  const call = request({ args: ['a', 1], argTypes: ['java.lang.String', 'int'] });
  const generic = genericRequestOf(call, call.argTypes);
  t.is(generic.method, '$invoke');
  const { attachments, ...rest } = genericCallOf(generic);
  t.deepEqual(attachments, { generic: 'true' });
  t.like(rest, { method: 'sayHello', args: ['a', 1], argTypes: ['java.lang.String', 'int'] });
  const untyped = genericCallOf(genericRequestOf(call, null));
  t.deepEqual(untyped.argTypes, ['java.lang.Object', 'java.lang.Object']);
  const other = request({ method: '$invoke', args: [1, 2, 3] });
  t.is(genericCallOf(other), other);
});

test('dubbo: attachments go back only to callers that read them', (t) => {
  const engine = engineOf('dubbo');
  const outcome: RpcOutcome = { kind: 'value', value: 'x', attachments: { served: 'here' } };
  const frame = engine.messages.encodeRequest(full);
  const at = frame.indexOf('2.0.2');
  frame.write('2.6.9', at);
  const read = readResponse(engine, readRequest(engine, frame).answer(outcome));
  t.deepEqual(read, { kind: 'value', value: 'x', attachments: {} });
});
