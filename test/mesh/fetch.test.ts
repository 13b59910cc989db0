import { createHash } from 'node:crypto';
import test from 'ava';
import { createMesh, HeddleError } from '../../src/index.ts';
import { type Echoed, echo, upstream, within } from './support.ts';

const bytes = new TextEncoder().encode('bytes');

function form(): FormData {
  const data = new FormData();
  data.append('user', 'ada');
  data.append('file', new Blob(['content']), 'notes.txt');
  return data;
}

/** Every kind of body that fetch takes, what arrives and as what type. */
const bodies: [string, () => RequestInit['body'], RegExp, RegExp | undefined][] = [
  ['text', () => 'text ä', /^text Ã¤$/, /^text\/plain;charset=UTF-8$/],
  ['Uint8Array', () => bytes, /^bytes$/, undefined],
  ['ArrayBuffer', () => bytes.buffer.slice(0) as ArrayBuffer, /^bytes$/, undefined],
  ['DataView', () => new DataView(bytes.buffer, 1, 3), /^yte$/, undefined],
  ['Uint16Array', () => new Uint16Array([0x4142]), /^BA$/, undefined],
  ['Blob', () => new Blob(['blob'], { type: 'image/x' }), /^blob$/, /^image\/x$/],
  [
    'URLSearchParams',
    () => new URLSearchParams({ a: '1 2' }),
    /^a=1\+2$/,
    /^application\/x-www-form-urlencoded;charset=UTF-8$/,
  ],
  ['FormData', form, /name="user".+ada.+filename="notes.txt".+content/s, /^multipart\/form-data; boundary=/],
  [
    'ReadableStream',
    () => ReadableStream.from([new Uint8Array([104]), new Uint8Array([105])]) as ReadableStream<Uint8Array>,
    /^hi$/,
    undefined,
  ],
];

for (const [kind, body, wanted, type] of bodies) {
  test(`fetch sends a body that is a ${kind}`, async (t) => {
    const { address } = await upstream(t, echo);
    await using mesh = await createMesh({ clusters: [{ name: 'users', endpoints: [address] }] });
    const init = { method: 'POST', body: body(), duplex: 'half' } as RequestInit;
    const response = await mesh.fetch('http://users/', init);
    const got = (await response.json()) as Echoed;
    t.regex(got.body, wanted);
    if (type === undefined) t.is(got.headers['content-type'], undefined);
    else t.regex(got.headers['content-type'] ?? '', type);
  });
}

test('fetch takes a Request, with its body, headers and what init overrides', async (t) => {
  const { address } = await upstream(t, echo);
  await using mesh = await createMesh({ clusters: [{ name: 'users', endpoints: [address] }] });
  const request = new Request('http://users/a?b', {
    method: 'put',
    body: 'from the request',
    headers: { 'x-a': '1' },
  });
  const got = (await (await mesh.fetch(request)).json()) as Echoed;
  t.like(got, { method: 'PUT', url: '/a?b', body: 'from the request' });
  t.is(got.headers['x-a'], '1');
  const other = (await (
    await mesh.fetch(new Request('http://users/', { headers: { 'x-a': '1' } }), { headers: { 'x-b': '2' } })
  ).json()) as Echoed;
  t.is(other.headers['x-a'], undefined);
  t.is(other.headers['x-b'], '2');
});

test('fetch answers with a Response: status, repeated headers, empty ones, text, json, clone', async (t) => {
  const { address } = await upstream(t, (request, response) => {
    response.writeHead(request.url === '/none' ? 204 : 201, { 'set-cookie': ['a=1', 'b=2'], 'x-empty': '' });
    response.end(request.url === '/none' ? '' : '{"ok":true}');
  });
  await using mesh = await createMesh({ clusters: [{ name: 'users', endpoints: [address] }] });
  const response = await mesh.fetch(new URL('http://users/'));
  t.is(response.status, 201);
  t.true(response.ok);
  t.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
  t.is(response.headers.get('x-empty'), '');
  t.deepEqual(await response.clone().json(), { ok: true });
  t.is(await response.text(), '{"ok":true}');
  const none = await mesh.fetch('http://users/none');
  t.is(none.status, 204);
  t.is(none.body, null);
});

test('fetch streams 64 MiB up and down and both hashes agree', async (t) => {
  const chunk = Buffer.alloc(65536, 7);
  const chunks = 1024;
  const { address } = await upstream(t, (request, response) => {
    const hash = createHash('sha256');
    request.on('data', (part: Buffer) => {
      hash.update(part);
      if (!response.write(part)) request.pause();
    });
    response.on('drain', () => request.resume());
    response.setHeader('trailer', 'x-hash');
    request.on('end', () => {
      response.addTrailers({ 'x-hash': hash.digest('hex') });
      response.end();
    });
  });
  await using mesh = await createMesh({ clusters: [{ name: 'users', endpoints: [address] }] });
  const sent = createHash('sha256');
  const body = ReadableStream.from(
    (async function* () {
      for (let i = 0; i < chunks; i++) {
        chunk.writeUInt32LE(i, 0);
        sent.update(chunk);
        yield Uint8Array.from(chunk);
      }
    })(),
  );
  const response = await mesh.fetch('http://users/', {
    method: 'POST',
    body: body as ReadableStream<Uint8Array>,
    duplex: 'half',
  } as RequestInit);
  const received = createHash('sha256');
  let size = 0;
  for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
    received.update(part);
    size += part.length;
  }
  t.is(size, chunks * chunk.length);
  t.is(received.digest('hex'), sent.digest('hex'));
});

test('cancelling the body of a Response ends the request upstream', async (t) => {
  const gone = Promise.withResolvers<void>();
  const { address } = await upstream(t, (_request, response) => {
    response.once('close', () => gone.resolve());
    response.write('begin');
  });
  await using mesh = await createMesh({ clusters: [{ name: 'users', endpoints: [address] }] });
  const response = await mesh.fetch('http://users/');
  await response.body?.cancel();
  await t.notThrowsAsync(within(gone.promise, 'the upstream sees the cancel'));
});

test('fetch obeys a signal before the answer, in its body, and one of a Request', async (t) => {
  const { address } = await upstream(t, (request, response) => {
    if (request.url === '/body') response.write('begin');
  });
  await using mesh = await createMesh({ clusters: [{ name: 'users', endpoints: [address] }] });
  const first = new AbortController();
  const call = mesh.fetch('http://users/', { signal: first.signal });
  setImmediate(() => first.abort());
  t.like(await t.throwsAsync(within(call, 'the abort')), { code: 'ERR_REQUEST_ABORTED' });
  const second = new AbortController();
  const response = await mesh.fetch(new Request('http://users/body', { signal: second.signal }));
  const text = response.text();
  second.abort();
  t.like(await t.throwsAsync(within(text, 'the abort of the body')), { code: 'ERR_REQUEST_ABORTED' });
});

test('fetch refuses what it cannot send, each with a HeddleError that says why', async (t) => {
  await using mesh = await createMesh({ clusters: [{ name: 'users' }] });
  const bad: [string, RequestInit | undefined, RegExp][] = [
    ['users/42', undefined, /URL "users\/42"/],
    ['ftp://users/', undefined, /ftp:/],
    ['http://users/', { method: 'CONNECT' }, /CONNECT/],
    ['http://nobody/', undefined, /no_cluster/],
  ];
  for (const [url, init, message] of bad) {
    await t.throwsAsync(mesh.fetch(url, init), { instanceOf: HeddleError, message });
  }
});

test('a status that a Response cannot carry is an error, not a crash', async (t) => {
  const { address } = await upstream(t, (_request, response) => {
    response.statusCode = 299;
    response.end('fine');
  });
  await using mesh = await createMesh({ clusters: [{ name: 'users', endpoints: [address] }] });
  t.is((await mesh.fetch('http://users/')).status, 299);
});
