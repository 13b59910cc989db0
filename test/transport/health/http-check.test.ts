import test from 'ava';
import { fakeHost } from '../../../src/testing/index.ts';
import { httpCheck } from '../../../src/transport/health/http-check.ts';
import { deadAddress } from '../../mesh/support.ts';
import { ask, prober, server } from './support.ts';

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

/** Each complete request head gets the next answer. */
function answering(answers: readonly (string | Buffer)[], heads: string[] = []) {
  let next = 0;
  return (socket: import('node:net').Socket): void => {
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      for (let at = text.indexOf('\r\n\r\n'); at >= 0; at = text.indexOf('\r\n\r\n')) {
        heads.push(text.slice(0, at));
        text = text.slice(at + 4);
        socket.write(answers[Math.min(next++, answers.length - 1)] as string);
      }
    });
  };
}

const cases: [title: string, answer: string, result: string, config?: object][] = [
  ['200', ok, 'pass'],
  ['204 without a body', 'HTTP/1.1 204 No Content\r\n\r\n', 'pass'],
  ['an interim answer first', `HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n${ok}`, 'pass'],
  ['a chunked body', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n', 'pass'],
  ['503', 'HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n', 'failNow status_503'],
  ['302', 'HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n', 'failNow status_302'],
  [
    '429, which is expected',
    'HTTP/1.1 429 Slow\r\ncontent-length: 0\r\n\r\n',
    'pass',
    { expectedStatuses: ['200-299', 429] },
  ],
  [
    '500, which counts once',
    'HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n',
    'fail status_500',
    { retriableStatuses: ['500-504'] },
  ],
  ['200 where 204 is expected', ok, 'failNow status_200', { expectedStatuses: ['204'] }],
  ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n', 'fail no_http'],
  [
    'an upgrade nobody asked for',
    'HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
    'fail no_http',
  ],
  ['a head without end', `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(20_000)}`, 'fail no_http'],
  ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nok', 'fail no_http'],
];
for (const [title, answer, result, config = {}] of cases) {
  test(`answer: ${title}`, async (t) => {
    const { address } = await server(t, answering([answer]));
    t.is(await ask(prober(t, httpCheck, config)(address)), result);
  });
}

test('answers that arrive byte by byte are read alike', async (t) => {
  const { address } = await server(t, (socket) => {
    socket.setNoDelay(true);
    socket.once('data', async () => {
      for (const byte of ok) {
        socket.write(byte);
        await new Promise(setImmediate);
      }
    });
  });
  t.is(await ask(prober(t, httpCheck, {})(address)), 'pass');
});

test('the request says who asks, of whom and for what', async (t) => {
  const heads: string[] = [];
  const { address } = await server(t, answering([ok], heads));
  const given = {
    path: '/healthz?full=1',
    method: 'OPTIONS',
    headers: { 'x-check': 'yes', host: 'ignored' },
  };
  await ask(prober(t, httpCheck, given)(fakeHost(address, { hostname: 'users.test' })));
  t.is(
    heads[0],
    'OPTIONS /healthz?full=1 HTTP/1.1\r\nhost: users.test\r\nuser-agent: heddle-health-check\r\nx-check: yes',
  );
  await ask(prober(t, httpCheck, { host: 'other.test:81' }, false)(address));
  t.is(
    heads[1],
    'GET / HTTP/1.1\r\nhost: other.test:81\r\nuser-agent: heddle-health-check\r\nconnection: close',
  );
  await ask(prober(t, httpCheck, {})(fakeHost(address, { hostname: 'bad\r\nx: y' })));
  t.is(heads[2]?.split('\r\n')[1], 'host: bad__x:_y', 'what a registry says cannot break out of its line');
});

test('one connection serves one check after the other, also when answers have bodies', async (t) => {
  const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
  const peer = await server(t, answering([ok, chunked, ok, ok]));
  const probe = prober(t, httpCheck, {})(peer.address);
  for (let i = 0; i < 4; i++) t.is(await ask(probe), 'pass');
  t.is(peer.connections(), 1);
});

test('each check has its own connection when they are not kept, when the host closes, or when the answer has no end', async (t) => {
  const closing = 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok';
  for (const [answer, keeps] of [
    [ok, false],
    [closing, true],
    [`HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n${'a'.repeat(70_000)}`, true],
    [`${ok}surplus`, true],
  ] as const) {
    const peer = await server(t, answering([answer]));
    const probe = prober(t, httpCheck, {}, keeps)(peer.address);
    t.is(await ask(probe), 'pass');
    t.is(await ask(probe), 'pass');
    t.is(peer.connections(), 2, answer.slice(0, 60));
  }
});

test('a body until the connection ends', async (t) => {
  const { address } = await server(t, (socket) =>
    socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nfine')),
  );
  t.is(await ask(prober(t, httpCheck, {})(address)), 'pass');
});

test('a kept connection that the host dropped in the meantime says nothing about the host', async (t) => {
  const peer = await server(t, (socket, index) => {
    socket.once('data', () => {
      socket.write(ok);
      // The second request on it is never answered: the host has lost interest.
      if (index === 0) socket.once('data', () => socket.destroy());
    });
  });
  const probe = prober(t, httpCheck, {})(peer.address);
  t.is(await ask(probe), 'pass');
  t.is(await ask(probe), 'pass');
  t.is(peer.connections(), 2);
});

test('a host that nobody listens on, that hangs up, or that ends before its answer', async (t) => {
  t.is(await ask(prober(t, httpCheck, {})(await deadAddress())), 'fail connect_failure');
  const hangs = await server(t, (socket) => socket.once('data', () => socket.resetAndDestroy()));
  t.regex(await ask(prober(t, httpCheck, {})(hangs.address)), /^fail upstream_/);
  const ends = await server(t, (socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n')));
  t.is(await ask(prober(t, httpCheck, {})(ends.address)), 'fail upstream_closed');
});

test('a check that is given up hangs up and never answers; the next one dials anew', async (t) => {
  const peer = await server(t, (socket, index) => {
    if (index > 0) socket.once('data', () => socket.write(ok));
  });
  const probe = prober(t, httpCheck, {})(peer.address);
  let calls = 0;
  probe.probe(() => calls++);
  while (peer.connections() === 0) await new Promise(setImmediate);
  probe.cancel();
  t.is(await ask(probe), 'pass');
  t.is(calls, 0);
  t.is(peer.connections(), 2);
});

test('another port is checked where one is given', async (t) => {
  const peer = await server(t, answering([ok]));
  const port = Number(peer.address.split(':')[1]);
  t.is(await ask(prober(t, httpCheck, { port })('127.0.0.1:1')), 'pass');
});

test('what cannot be a check is refused', (t) => {
  for (const given of [
    { path: 'healthz' },
    { path: '/a b' },
    { path: '/a\r\nx: y' },
    { headers: { 'x\r\n': 'y' } },
    { headers: { x: 'a\r\nb: c' } },
    { host: 'a/b' },
    { method: 'POST' },
    { expectedStatuses: [] },
    { expectedStatuses: ['299-200'] },
    { expectedStatuses: ['1xx'] },
    { expectedStatuses: [100] },
    { port: 70_000 },
    { pth: '/' },
  ]) {
    const result = httpCheck.config['~standard'].validate(given);
    t.true(!(result instanceof Promise) && result.issues !== undefined, JSON.stringify(given));
  }
});
