import test from 'ava';
import { Code } from '../../../src/core/base/codes.ts';
import { HeddleError } from '../../../src/core/base/errors.ts';
import { HeadView } from '../../../src/core/base/head-view.ts';
import type { Host } from '../../../src/core/contract/cluster.ts';
import type { Stream } from '../../../src/core/contract/stream.ts';
import {
  type AccessLogOptions,
  checkAccessLogFormat,
  createAccessLog,
} from '../../../src/core/observe/access-log/access-log.ts';
import { compileValue } from '../../../src/core/observe/access-log/compile-value.ts';
import { maxLineBytes } from '../../../src/core/observe/access-log/log-batch.ts';
import { counted, createRig, peer, type Rig, route, scanHead, streamOf } from '../filters/harness.ts';

const request = [
  'POST /users/7?full=1&lang=de HTTP/1.1',
  'Host: users.example',
  'User-Agent: curl/8.0',
  'Cookie: a=1; session=xyz',
  '',
].join('\r\n');

function finished(text = request): Stream {
  const s = streamOf(text);
  scanHead(s.res, 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n');
  s.host = { label: Buffer.from('10.0.0.1:8080') } as unknown as Host;
  s.route = route();
  s.requestBytes = 12;
  s.responseBytes = 3_000_000_000;
  s.requestDoneMs = 1001.5;
  s.firstByteMs = 1002.25;
  s.endMs = 1007.9;
  return s;
}

function logged(
  options: Omit<AccessLogOptions, 'path'>,
  s: Stream = finished(),
  rig: Rig = createRig(),
): string {
  createAccessLog({ path: 'stdout', ...options }, rig).write(s);
  return rig.logs.open('stdout').lines().join('\n');
}

test('the default line', (t) => {
  t.is(
    logged({}),
    '2026-01-31T12:30:45.123Z "POST /users/7?full=1&lang=de HTTP/1.1" 200 - 12 3000000000 7 users.example 10.0.0.1:8080',
  );
});

test('Envoy’s default line, unset values as dashes', (t) => {
  t.is(
    logged({ format: 'envoy' }),
    '[2026-01-31T12:30:45.123Z] "POST /users/7?full=1&lang=de HTTP/1.1" 200 - 12 3000000000 7 - "-" "curl/8.0" "-" ' +
      '"users.example" "10.0.0.1:8080"',
  );
});

test('MOSN’s default line', (t) => {
  t.is(
    logged({ format: 'mosn' }),
    '2026/01/31 12:30:45.123 -  - - 1.500ms 2.250ms 3000000000 12 HTTP/1.1 200 7.900ms - 200 - - ' +
      '192.0.2.7:40000 10.0.0.1:8080',
  );
});

const operatorCases: readonly (readonly [format: string, expected: string, change?: (s: Stream) => void])[] =
  [
    ['%START_TIME(%d/%b/%Y:%H:%M:%S %z)%', '31/Jan/2026:12:30:45 +0000'],
    ['%START_TIME(%s.%6f)%', '1769862645.123000'],
    ['%START_TIME(%s%3f)% %START_TIME(%f)%', '1769862645123 123'],
    ['%REQ(X-Missing?User-Agent)%', 'curl/8.0'],
    ['%REQ(user-agent):4%', 'curl'],
    ['%REQ(:METHOD)% %REQ(:AUTHORITY)%', 'POST users.example'],
    ['%RESP(content-type)% %RESP(:status)%', 'text/plain 200'],
    [
      '%TRAILER(grpc-status)%',
      '5',
      (s) => {
        s.responseTrailers = new HeadView();
        s.responseTrailers.add('grpc-status', '5');
      },
    ],
    ['%REQUEST_DURATION% %RESPONSE_DURATION% %RESPONSE_TX_DURATION%', '1 2 5'],
    ['%RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%', '- via_upstream'],
    [
      '%RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%',
      'DI,UF connect_failure',
      (s) => {
        s.code = Code.connectFailure;
        s.addFlag('DI');
      },
    ],
    ['%RESPONSE_CODE%', '0', (s) => s.res.reset()],
    ['%ROUTE_NAME% %UPSTREAM_CLUSTER%', 'users -'],
    [
      '%DOWNSTREAM_REMOTE_ADDRESS%',
      '[2001:db8::1]:443',
      (s) => {
        s.peer = peer('2001:db8::1', 443);
      },
    ],
    [
      '%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_DIRECT_REMOTE_ADDRESS%',
      '198.51.100.4 192.0.2.7:40000',
      (s) => s.setMetadata('client_address', '198.51.100.4'),
    ],
    ['%DYNAMIC_METADATA(tenant)%', 'acme', (s) => s.setMetadata('tenant', 'acme')],
    [
      '%TRACE_ID% %REQUEST_ID%',
      'abababababababababababababababab r-1',
      (s) => {
        s.req.add('traceparent', `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`);
        s.traceField = s.req.find('traceparent');
        s.req.add('x-request-id', 'r-1');
        s.requestIdField = s.req.find('x-request-id');
      },
    ],
    [
      '%REQ(:PATH)%',
      '/rewritten',
      (s) => {
        s.req.path = '/rewritten';
      },
    ],
    [
      '%request_header_user-agent% %cookie_session% %request_arg_lang% %x-mosn-querystring%',
      'curl/8.0 xyz de full=1&lang=de',
    ],
    [
      '100%% \\% %PROTOCOL%',
      '100% % HTTP/1.0',
      (s) => {
        s.req.minor = 0;
      },
    ],
    [
      '%DURATION%',
      '-',
      (s) => {
        s.endMs = 0;
      },
    ],
  ];

for (const [format, expected, change] of operatorCases) {
  test(`${format} reads ${expected}`, (t) => {
    const s = finished();
    change?.(s);
    t.is(logged({ format }, s), expected);
  });
}

test('JSON keeps numbers, nests, and has null for what is unset', (t) => {
  const json = {
    status: '%RESPONSE_CODE%',
    path: '%REQ(:PATH)%',
    missing: '%REQ(x-none)%',
    text: '%REQ(:METHOD)% took %DURATION% of %REQ(x-none)%',
    list: ['%BYTES_SENT%', 1, true],
    inner: { 'a "key"': '%ROUTE_NAME%' },
  };
  t.deepEqual(JSON.parse(logged({ json })), {
    status: 200,
    path: '/users/7?full=1&lang=de',
    missing: null,
    text: 'POST took 7 of -',
    list: [3_000_000_000, 1, true],
    inner: { 'a "key"': 'users' },
  });
});

const hostile = 'a" 200 - "forged\\\t\u0001\u007f\u00e9';

test('values from strangers cannot end a field or a line', (t) => {
  const s = finished(`GET /x HTTP/1.1\r\nuser-agent: ${hostile}\r\n`);
  s.setMetadata('k', 'line\nbreak "quoted" 中');
  t.is(
    logged({ format: '"%REQ(user-agent)%" "%DYNAMIC_METADATA(k)%"' }, s),
    String.raw`"a\x22 200 - \x22forged\x5C\x09\x01\x7F\xE9" "line\x0Abreak \x22quoted\x22 \u4E2D"`,
  );
  const json = { agent: '%REQ(user-agent)%', k: '%DYNAMIC_METADATA(k)%' };
  t.deepEqual(JSON.parse(logged({ json }, s)), { agent: hostile, k: 'line\nbreak "quoted" 中' });
});

test('a line that is too long is cut in its values and stays one well-formed line', (t) => {
  const s = finished(`GET /x HTTP/1.1\r\nlong: ${'"'.repeat(60_000)}\r\n`);
  const json = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`k${i}`, '%REQ(long)%']));
  const line = logged({ json: { ...json, status: '%RESPONSE_CODE%', last: '%ROUTE_NAME%' } }, s);
  t.true(line.length <= maxLineBytes);
  const read = JSON.parse(line);
  t.is(read.status, 200);
  t.true(read.k0.length <= 2048 && read.k0.length > 1000);
});

test('unknown operators are problems that name the nearest word; all of them are told', (t) => {
  t.deepEqual(
    checkAccessLogFormat({ format: '%RESPONSE_COD% %REQ% %DURATION(1)% %start_tme% %START_TIME(%Q)% 5%' }),
    [
      '%RESPONSE_COD% is not known; did you mean %RESPONSE_CODE%?',
      '%REQ% needs an argument in parentheses',
      '%DURATION% takes no argument',
      '%start_tme% is not known; did you mean %start_time%?',
      '%START_TIME(%Q)%: "%Q" is no time conversion that is known',
      'no operator begins at character 65: "%"; write %% for a percent sign',
    ],
  );
  t.deepEqual(checkAccessLogFormat({ json: { a: { b: '%constructor%' } } }), [
    'json.a.b: %constructor% is not known',
  ]);
  t.deepEqual(checkAccessLogFormat({ format: 'x', json: {} }), ['give "format" or "json", not both']);
  t.deepEqual(checkAccessLogFormat({}), []);
  t.is(t.throws(() => logged({ format: '%NOPE%' }), { instanceOf: HeddleError })?.code, 'ERR_CONFIG_INVALID');
});

test('lines leave in batches: after a while, or when 64 KiB are full', (t) => {
  const rig = createRig();
  const log = createAccessLog({ path: 'stdout', format: `${'x'.repeat(1000)}\n` }, rig);
  const output = rig.logs.open('stdout');
  const s = finished();
  for (let i = 0; i < 10; i++) log.write(s);
  t.is(output.batches, 0);
  t.is(output.gathering.size, 1);
  rig.clock.advance(50);
  t.is(output.batches, 1);
  t.is(output.gathering.size, 0);
  for (let i = 0; i < 100; i++) log.write(s);
  t.true(output.batches >= 2);
  t.is(output.lines().length, 110);
  t.is(counted(rig, 'heddle_access_log_lines_total'), 110);
});

test('an output that is full loses lines with a count', (t) => {
  const rig = createRig();
  const log = createAccessLog({ path: 'stdout' }, rig);
  rig.logs.open('stdout').isFull = true;
  for (let i = 0; i < 3; i++) log.write(finished());
  rig.clock.advance(50);
  t.is(counted(rig, 'heddle_access_log_dropped_total'), 3);
  t.is(counted(rig, 'heddle_access_log_lines_total'), 0);
});

test('a compiled header value is made of what the stream holds and can always be sent', (t) => {
  const s = finished();
  t.is(compileValue('by %ROUTE_NAME%/%REQ(x-none)%')(s), 'by users/');
  t.is(compileValue('50%%')(s), '50%');
  s.setMetadata('k', 'a\r\nx-evil: 1 "q"');
  t.is(compileValue('%DYNAMIC_METADATA(k)%')(s), 'a??x-evil: 1 "q"');
  t.throws(() => compileValue('%NOPE%'), { instanceOf: HeddleError });
  t.throws(() => compileValue('a\nb'), { instanceOf: HeddleError });
});
