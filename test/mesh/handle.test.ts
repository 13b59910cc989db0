import test from 'ava';
import { createMesh } from '../../src/index.ts';
import { within } from './support.ts';

test('a handler serves a cluster by its name, in-process and through a listener', async (t) => {
  await using mesh = await createMesh({
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        virtualHosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, cluster: 'app' }] }],
      },
    ],
    clusters: [{ name: 'app' }],
  });
  mesh.handle('app', async (request) => {
    const { pathname, search } = new URL(request.url);
    const body = await request.text();
    return Response.json(
      { method: request.method, path: pathname + search, body, a: request.headers.get('x-a') },
      { status: 201, headers: { 'x-b': 'c' } },
    );
  });
  const init = { method: 'POST', body: 'hello', headers: { 'x-a': '1' } };
  for (const call of [
    mesh.fetch('http://app/p?q', init),
    fetch(`http://${mesh.listeners.addresses['in']}/p?q`, init),
  ]) {
    const response = await call;
    t.is(response.status, 201);
    t.is(response.headers.get('x-b'), 'c');
    t.deepEqual(await response.json(), { method: 'POST', path: '/p?q', body: 'hello', a: '1' });
  }
});

test('a handler makes the cluster that the configuration does not have, and may be replaced', async (t) => {
  await using mesh = await createMesh();
  mesh.handle('late', () => new Response('one'));
  t.is(await (await mesh.fetch('http://late/')).text(), 'one');
});

test('a handler streams both ways: the answer begins before the request has ended', async (t) => {
  await using mesh = await createMesh();
  mesh.handle('echo', (request) => new Response(request.body));
  const steps: string[] = [];
  const next = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  async function* body(): AsyncGenerator<Uint8Array> {
    for (const [i, step] of next.entries()) {
      steps.push(`send ${i}`);
      yield Buffer.from(`part ${i}`);
      await step.promise;
    }
  }
  const response = await within(
    mesh.request({ authority: 'echo', method: 'POST', body: body() }),
    'the head before the body is complete',
  );
  let i = 0;
  for await (const chunk of response.body) {
    steps.push(`got ${chunk.toString()}`);
    next[i++]?.resolve();
  }
  t.deepEqual(steps, ['send 0', 'got part 0', 'send 1', 'got part 1']);
});

test('the signal of a handler fires when its caller leaves, and its answer is cancelled', async (t) => {
  await using mesh = await createMesh();
  const aborted = Promise.withResolvers<void>();
  const cancelled = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  mesh.handle('waits', (request) => {
    request.signal.addEventListener('abort', () => aborted.resolve());
    started.resolve();
    return new Promise(() => {});
  });
  mesh.handle('streams', (request) => {
    request.signal.addEventListener('abort', () => aborted.resolve());
    // Nothing more is ever written: only a cancel tells the application.
    return new Response(
      new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(new Uint8Array(1)),
        cancel: () => cancelled.resolve(),
      }),
    );
  });
  const first = new AbortController();
  const call = mesh.request({ authority: 'waits', signal: first.signal });
  await within(started.promise, 'the handler starts');
  first.abort();
  t.like(await t.throwsAsync(call), { code: 'ERR_REQUEST_ABORTED' });
  await within(aborted.promise, 'the signal of the handler');
  const second = new AbortController();
  const response = await mesh.request({ authority: 'streams', signal: second.signal });
  second.abort();
  await t.throwsAsync(response.text());
  await within(cancelled.promise, 'the answer is cancelled');
});

test('a handler that throws, rejects or returns nonsense costs its request only', async (t) => {
  await using mesh = await createMesh({
    clusters: [{ name: 'app', outlierDetection: { consecutiveErrors: 0 } }],
  });
  const failures: (() => unknown)[] = [
    () => {
      throw new Error('thrown');
    },
    () => Promise.reject(new Error('rejected')),
    () => undefined,
    () => ({ status: 200 }),
    () => new Response(ReadableStream.from(['a string chunk']) as unknown as ReadableStream<Uint8Array>),
  ];
  mesh.handle('app', ((request: Request) => {
    const which = Number(new URL(request.url).pathname.slice(1));
    return which < failures.length ? failures[which]?.() : new Response('fine');
  }) as () => Response);
  for (const which of [0, 1, 2, 3]) {
    const error = await t.throwsAsync(
      mesh.request({ authority: 'app', path: `/${which}` }),
      undefined,
      `${which}`,
    );
    t.like(error, { code: 'ERR_UPSTREAM_RESET' }, `${which}`);
  }
  const broken = await mesh.request({ authority: 'app', path: '/4' });
  t.like(await t.throwsAsync(within(broken.text(), 'the end of a broken body')), {
    code: 'ERR_UPSTREAM_RESET',
  });
  t.is(await (await mesh.fetch('http://app/9')).text(), 'fine');
});

test('a handler that answers before it has read the request is not left waiting for the rest', async (t) => {
  await using mesh = await createMesh();
  const ended = Promise.withResolvers<string>();
  const more = Promise.withResolvers<void>();
  mesh.handle('early', (request) => {
    void request.text().then(
      () => ended.resolve('read'),
      () => ended.resolve('failed'),
    );
    return new Response('no thanks', { status: 413 });
  });
  async function* body(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(10);
    await more.promise;
  }
  const response = await mesh.request({ authority: 'early', method: 'POST', body: body() });
  t.is(response.status, 413);
  t.is(await response.text(), 'no thanks');
  t.is(await within(ended.promise, 'the end of the request body'), 'failed');
  more.resolve();
});

test('calls of a handler have the limits, the deadline and the counts of any cluster', async (t) => {
  await using mesh = await createMesh({ clusters: [{ name: 'app', circuitBreakers: { maxRequests: 1 } }] });
  mesh.handle('app', () => new Promise(() => {}));
  const first = mesh.request({ authority: 'app', timeoutMs: 100 });
  t.like(await t.throwsAsync(mesh.request({ authority: 'app' })), { code: 'ERR_CLUSTER_OVERFLOW' });
  t.like(await t.throwsAsync(within(first, 'the deadline')), { code: 'ERR_REQUEST_TIMEOUT' });
  t.is(mesh.clusters.get('app')?.breakers.requests, 0);
});
