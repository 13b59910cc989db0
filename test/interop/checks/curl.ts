import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gateway, proxyProcess } from '../../e2e/support.ts';
import { tcpUpstream, upstream } from '../../mesh/support.ts';
import type { Check } from '../kit/check.ts';
import { execute, type Finished, requireProgram } from '../kit/execute.ts';

const fileBytes = 5 * 1024 * 1024;
const whole = randomBytes(fileBytes);
const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** What curl is asked to do and what must come of it; `URL` stands for the proxy. */
const forms: readonly [string, readonly string[], (done: Finished, text: string) => void][] = [
  ['GET', ['URL/echo'], (_, text) => assert.match(text, /^GET \/echo 0 /)],
  [
    '-I',
    ['-I', 'URL/file'],
    (_, text) => assert.match(text, new RegExp(`content-length: ${fileBytes}`, 'i')),
  ],
  ['a file of 5 MiB', ['URL/file'], (done) => assert.equal(hashOf(done.stdout), hashOf(whole))],
  [
    '--range',
    ['-r', '1000-1999', 'URL/file'],
    (done) => assert.deepEqual(done.stdout, whole.subarray(1000, 2000)),
  ],
  ['POST -d', ['-d', 'a=1&b=2', 'URL/echo'], (_, text) => assert.match(text, /^POST \/echo 7 /)],
  [
    'POST --data-binary, with Expect',
    ['--data-binary', '@FILE', '-H', 'Expect: 100-continue', 'URL/echo'],
    (_, text) => assert.equal(text, `POST /echo ${fileBytes} ${hashOf(whole)}`),
  ],
  [
    'PUT -T, with Content-Length',
    ['-T', 'FILE', 'URL/echo'],
    (_, text) => assert.equal(text, `PUT /echo ${fileBytes} ${hashOf(whole)}`),
  ],
  [
    'PUT -T, chunked',
    ['-T', 'FILE', '-H', 'Transfer-Encoding: chunked', 'URL/echo'],
    (_, text) => assert.equal(text, `PUT /echo ${fileBytes} ${hashOf(whole)}`),
  ],
  [
    'multipart -F',
    ['-F', 'file=@FILE', '-F', 'a=b', 'URL/echo'],
    (_, text) => assert.match(text, /^POST \/echo 5\d{6} /),
  ],
  ['DELETE', ['-X', 'DELETE', 'URL/echo'], (_, text) => assert.match(text, /^DELETE \/echo 0 /)],
  [
    'OPTIONS *',
    ['-X', 'OPTIONS', '--request-target', '*', 'URL'],
    (_, text) => assert.match(text, /^OPTIONS \* 0 /),
  ],
  ['--http1.0', ['--http1.0', 'URL/echo'], (_, text) => assert.match(text, /^GET \/echo 0 /)],
  [
    '--http1.0 POST',
    ['--http1.0', '-d', 'abc', 'URL/echo'],
    (_, text) => assert.match(text, /^POST \/echo 3 /),
  ],
  [
    '--http2 is offered and not taken',
    ['--http2', 'URL/echo'],
    (_, text) => assert.match(text, /^GET \/echo 0 /),
  ],
  ['--compressed', ['--compressed', 'URL/echo'], (_, text) => assert.match(text, /^GET \/echo 0 /)],
  ['--tr-encoding', ['--tr-encoding', 'URL/echo'], (_, text) => assert.match(text, /^GET \/echo 0 /)],
  ['-L over a redirect', ['-L', 'URL/redirect'], (_, text) => assert.match(text, /^GET \/echo 0 /)],
  ['--path-as-is', ['--path-as-is', 'URL/x/../echo'], (_, text) => assert.match(text, /^GET \/echo 0 /)],
  [
    'keep-alive: three URLs, one connection',
    ['-v', 'URL/echo', 'URL/echo', 'URL/echo'],
    (done) => assert.equal(done.stderr.match(/Re-using existing connection|Reusing existing/g)?.length, 2),
  ],
  [
    '204, 304 and HEAD between them',
    [
      '-o',
      '/dev/null',
      '-w',
      '%{http_code} ',
      'URL/204',
      '-o',
      '/dev/null',
      'URL/304',
      '-o',
      '/dev/null',
      'URL/echo',
    ],
    (_, text) => assert.equal(text, '204 304 200 '),
  ],
  [
    'a 1xx before the answer',
    ['-v', 'URL/hints'],
    (done) => assert.match(done.stderr, /< HTTP\/1\.1 103 Early Hints/),
  ],
  ['trailers', ['-v', '--raw', 'URL/trailers'], (_, text) => assert.match(text, /x-sum: 7/)],
  [
    '--limit-rate',
    ['--limit-rate', '20M', 'URL/file'],
    (done) => assert.equal(hashOf(done.stdout), hashOf(whole)),
  ],
  [
    '--ignore-content-length',
    ['--ignore-content-length', '--http1.0', 'URL/file'],
    (done) => assert.equal(hashOf(done.stdout), hashOf(whole)),
  ],
];

export const check: Check = {
  what: 'curl in every form',
  async run(scope) {
    const curl = requireProgram('curl', 'apt-get install curl');
    const place = await mkdtemp(join(tmpdir(), 'heddle-curl-'));
    scope.teardown(() => rm(place, { recursive: true }));
    const file = join(place, 'file');
    await writeFile(file, whole);
    const { address: host } = await upstream(scope, (request, response) => {
      const status = /^\/(204|304)$/.exec(request.url ?? '')?.[1];
      if (status !== undefined) return void response.writeHead(Number(status)).end();
      if (request.url === '/redirect') return void response.writeHead(302, { location: '/echo' }).end();
      if (request.url === '/hints')
        return response.writeEarlyHints({ link: '</a>; rel=preload' }, () => response.end('x'));
      if (request.url === '/trailers') {
        response.writeHead(200, { trailer: 'x-sum' });
        response.write('body');
        response.addTrailers({ 'x-sum': '7' });
        return void response.end();
      }
      if (request.url === '/file') {
        const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
        const bytes = range === null ? whole : whole.subarray(Number(range[1]), Number(range[2]) + 1);
        response.writeHead(range === null ? 200 : 206, { 'content-length': bytes.length });
        return void response.end(request.method === 'HEAD' ? '' : bytes);
      }
      const hash = createHash('sha256');
      let size = 0;
      request.on('data', (chunk: Buffer) => {
        hash.update(chunk);
        size += chunk.length;
      });
      request.on('end', () => response.end(`${request.method} ${request.url} ${size} ${hash.digest('hex')}`));
    });
    const proxy = await proxyProcess(scope, gateway(host));
    for (const [name, args, verify] of forms) {
      const filled = args.map((each) => each.replace('URL', `http://${proxy.address}`).replace('FILE', file));
      const done = await execute(curl, ['-sS', '--max-time', '60', ...filled]);
      try {
        assert.equal(done.code, 0, done.stderr);
        verify(done, done.stdout.toString('latin1'));
      } catch (thrown) {
        throw new Error(`curl ${name}: ${(thrown as Error).message}`, { cause: thrown });
      }
    }
    await tunnel(scope, curl);
    return `${forms.length + 1} forms`;
  },
};

/** `curl --proxytunnel`: CONNECT to the proxy, which sends it to an upstream that opens the tunnel. */
async function tunnel(scope: Parameters<Check['run']>[0], curl: string): Promise<void> {
  const inner = createServer((_request, response) => void response.end('through the tunnel'));
  scope.teardown(() => void inner.close());
  const { address } = await tcpUpstream(scope, (socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      inner.emit('connection', socket);
    });
  });
  const proxy = await proxyProcess(scope, gateway(address, {}, { upgrades: ['connect'] }));
  const args = [
    '-sS',
    '--max-time',
    '20',
    '--proxytunnel',
    '--proxy',
    `http://${proxy.address}`,
    'http://inner.example/',
  ];
  const done = await execute(curl, args);
  assert.equal(done.stdout.toString(), 'through the tunnel', done.stderr);
}
