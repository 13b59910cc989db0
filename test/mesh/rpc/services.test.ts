import { once } from 'node:events';
import test from 'ava';
import { createMesh, HeddleError, type RpcServiceCall } from '../../../src/index.ts';
import { deadAddress, eventually, within } from '../support.ts';

const service = 'com.example.Greeter';
const anywhere = '127.0.0.1:0';
const protocols = ['bolt', 'dubbo'] as const;

for (const protocol of protocols) {
  const reference = { protocol, service } as const;

  test(`${protocol}: versions and groups of one service are told apart, at one address`, async (t) => {
    await using provider = await createMesh();
    const say = (text: string) => ({ methods: { which: () => text } });
    const first = await provider.serveRpc({ ...reference, version: '1.0', ...say('one'), address: anywhere });
    await provider.serveRpc({ ...reference, version: '2.0', ...say('two'), address: first.address });
    await provider.serveRpc({
      ...reference,
      version: '2.0',
      group: 'blue',
      ...say('two in blue'),
      address: first.address,
    });
    await using mesh = await createMesh({
      clusters: [{ name: service, codec: protocol, endpoints: [first.address] }],
    });
    t.is(await mesh.rpc({ ...reference, version: '1.0' }).invoke('which'), 'one');
    t.is(await mesh.rpc({ ...reference, version: '2.0' }).invoke('which'), 'two');
    t.is(await mesh.rpc({ ...reference, version: '2.0', group: 'blue' }).invoke('which'), 'two in blue');
    const missing = await t.throwsAsync(mesh.rpc({ ...reference, version: '3.0' }).invoke('which'), {
      instanceOf: HeddleError,
      code: 'ERR_RPC_REFUSED',
    });
    t.regex(missing?.message ?? '', /no service com\.example\.Greeter:3\.0/);
    await t.throwsAsync(provider.serveRpc({ ...reference, version: '1.0', ...say('again') }), {
      code: 'ERR_RPC_SERVICE',
    });
    await first.close();
    await t.throwsAsync(mesh.rpc({ ...reference, version: '1.0' }).invoke('which'), {
      code: 'ERR_RPC_REFUSED',
    });
    t.is(await mesh.rpc({ ...reference, version: '2.0' }).invoke('which'), 'two');
  });

  test(`${protocol}: an address speaks one protocol; what is taken is refused and nothing stays behind`, async (t) => {
    await using mesh = await createMesh();
    const methods = { ping: () => 'pong' };
    const { address } = await mesh.serveRpc({ ...reference, methods, address: anywhere });
    const other = protocol === 'bolt' ? 'dubbo' : 'bolt';
    const options = { protocol: other, service, version: '2', methods } as const;
    await t.throwsAsync(mesh.serveRpc({ ...options, address }), { code: 'ERR_RPC_SERVICE' });
    await using rival = await createMesh();
    await t.throwsAsync(rival.serveRpc({ ...options, address }), { code: 'ERR_LISTENER_ADDRESS' });
    // The failed attempts left no trace: the same service can be provided elsewhere.
    await mesh.serveRpc({ ...options, address: anywhere });
    await rival.serveRpc({ ...options, address: anywhere });
    await t.throwsAsync(mesh.serveRpc({ ...reference, version: '9' }), { code: 'ERR_OPTION_INVALID' });
  });

  test(`${protocol}: a reload keeps services and their connections; a closed service frees its address`, async (t) => {
    await using provider = await createMesh();
    const served = await provider.serveRpc({
      ...reference,
      methods: { ping: () => 'pong' },
      address: anywhere,
    });
    await using mesh = await createMesh({
      clusters: [{ name: service, codec: protocol, endpoints: [served.address] }],
    });
    const greeter = mesh.rpc(reference);
    t.is(await greeter.invoke('ping'), 'pong');
    t.true((await provider.reload({ clusters: [{ name: 'another' }] })).applied);
    t.is(await greeter.invoke('ping'), 'pong');
    t.is(provider.listeners.all[0]?.connectionCount, 1);
    await served.close();
    await using next = await createMesh();
    const again = { ...reference, methods: { ping: () => 'again' }, address: served.address };
    // A listener that leaves lets its connections end first.
    const serve = () => next.serveRpc(again).catch(() => false as const);
    const taken = await eventually(serve, 'the address is free');
    t.is(taken.address, served.address);
    await provider.close();
    await eventually(
      () =>
        greeter
          .invoke('ping')
          .then((answer) => answer === 'again')
          .catch(() => false),
      'the new provider answers',
    );
  });

  test(`${protocol}: a handler sees the call and what came beside it, and sends texts back`, async (t) => {
    await using provider = await createMesh();
    const calls: RpcServiceCall[] = [];
    const { address } = await provider.serveRpc({
      ...reference,
      version: '1.0',
      handler: (args, call) => {
        calls.push(call);
        call.responseAttachments['served-by'] = 'überall';
        return args.length;
      },
      address: anywhere,
    });
    await using mesh = await createMesh({
      clusters: [{ name: service, codec: protocol, endpoints: [address] }],
    });
    const { value, attachments } = await mesh
      .rpc({ ...reference, version: '1.0' })
      .call('anything', [1, 'x'], {
        attachments: { tenant: 'ümlaut' },
        argTypes: ['long', 'java.lang.String'],
      });
    t.is(value, 2);
    t.is(attachments['served-by'], 'überall');
    t.like(calls[0], { service, version: '1.0', method: 'anything', peerAddress: '127.0.0.1' });
    t.deepEqual(calls[0]?.argTypes, ['long', 'java.lang.String']);
    t.is(calls[0]?.attachments['tenant'], 'ümlaut');
  });

  test(`${protocol}: time limits are known to the method; aborted calls and calls of a closed mesh end at once`, async (t) => {
    await using provider = await createMesh();
    const aborted: string[] = [];
    const methods = {
      hang: async (name: string, call: RpcServiceCall) => {
        await once(call.signal, 'abort');
        aborted.push(name);
      },
    };
    const { address } = await provider.serveRpc({ ...reference, methods, address: anywhere });
    const mesh = await createMesh({ clusters: [{ name: service, codec: protocol, endpoints: [address] }] });
    const greeter = mesh.rpc({ ...reference, timeoutMs: 50 });
    await t.throwsAsync(greeter.invoke('hang', ['late']), { code: 'ERR_REQUEST_TIMEOUT' });
    await eventually(() => aborted.includes('late'), 'the provider knows the limit, too');
    const abort = new AbortController();
    const hanging = greeter.invoke('hang', ['aborted'], { signal: abort.signal, timeoutMs: 0 });
    abort.abort(new Error('enough'));
    await t.throwsAsync(hanging, { code: 'ERR_REQUEST_ABORTED' });
    await t.throwsAsync(greeter.invoke('hang', ['x'], { signal: abort.signal }), {
      code: 'ERR_REQUEST_ABORTED',
    });
    const last = greeter.invoke('hang', ['gone'], { timeoutMs: 0 });
    await eventually(() => provider.runtime.proxy.active > 1, 'the call has arrived');
    const lost = t.throwsAsync(last);
    await mesh.close();
    await within(lost, 'the call ends');
    await eventually(() => aborted.includes('gone'), 'a lost caller is noticed');
    await t.throwsAsync(greeter.invoke('hang', ['closed']), { code: 'ERR_MESH_CLOSED' });
  });

  test(`${protocol}: one-way calls arrive and give nothing back, failures of the method included`, async (t) => {
    await using provider = await createMesh();
    const seen: number[] = [];
    const methods = {
      note: (number: number) => {
        seen.push(number);
        if (number === 2) throw new Error('nobody hears this');
        return 'nobody sees this';
      },
    };
    const { address } = await provider.serveRpc({ ...reference, methods, address: anywhere });
    await using mesh = await createMesh({
      clusters: [{ name: 'far', codec: protocol, endpoints: [address] }],
    });
    for (const greeter of [mesh.rpc({ ...reference, cluster: 'far' }), provider.rpc(reference)]) {
      for (const number of [1, 2, 3]) t.is(await greeter.invoke('note', [number], { oneway: true }), null);
    }
    await eventually(() => seen.length === 6, 'all of them arrive');
    const nowhere = await createMesh({ clusters: [{ name: service, codec: protocol }] });
    await t.throwsAsync(nowhere.rpc(reference).invoke('note', [1], { oneway: true }), {
      code: 'ERR_CLUSTER_NO_HOST',
    });
    await nowhere.close();
  });

  test(`${protocol}: the same filters, retries and metrics as for HTTP`, async (t) => {
    await using provider = await createMesh();
    const { address } = await provider.serveRpc({
      ...reference,
      methods: { ping: () => 'pong' },
      address: anywhere,
    });
    const bucket = { maxTokens: 3, tokensPerFill: 1, fillIntervalMs: 3_600_000 };
    await using mesh = await createMesh({
      clusters: [{ name: 'greeters', codec: protocol, endpoints: [await deadAddress(), address] }],
      inProcess: {
        filters: ['request-id', { name: 'local-rate-limit', config: { bucket } }],
        virtualHosts: [
          {
            name: 'rpc',
            domains: ['*'],
            routes: [
              {
                match: { path: `/${service}/ping` },
                cluster: 'greeters',
                retry: { on: ['connectFailure'], numRetries: 2 },
              },
            ],
          },
        ],
      },
    });
    const greeter = mesh.rpc(reference);
    for (let i = 0; i < 3; i++) t.is(await greeter.invoke('ping'), 'pong');
    const limited = await t.throwsAsync(greeter.invoke('ping'), { instanceOf: HeddleError });
    t.like(limited, { code: 'ERR_RPC_REFUSED', context: { protocolStatus: 429 } });
    await t.throwsAsync(mesh.rpc({ protocol, service: 'com.example.Other' }).invoke('ping'));
    const { slots } = mesh.clusters.get('greeters') ?? {};
    t.true((mesh.runtime.metrics.values[slots?.retries ?? 0] ?? 0) > 0);
  });

  test(`${protocol}: large and many calls at once over one connection`, async (t) => {
    await using provider = await createMesh();
    const methods = { echo: (value: unknown) => value };
    const { address } = await provider.serveRpc({ ...reference, methods, address: anywhere });
    await using mesh = await createMesh({
      clusters: [
        {
          name: service,
          codec: protocol,
          endpoints: [address],
          pool: { maxConnectionsPerHost: 1 },
          circuitBreakers: { maxRequests: 0, maxPending: 0 },
        },
      ],
    });
    const greeter = mesh.rpc(reference);
    const big = 'x'.repeat(3_000_000);
    const texts = Array.from({ length: 1000 }, (_, i) => `call ${i}`);
    const [large, ...small] = await Promise.all(
      [big, ...texts].map((text) => greeter.invoke('echo', [text])),
    );
    t.true(large === big);
    t.deepEqual(small, texts);
  });

  test(`${protocol}: an answer in another protocol, and a result that cannot be sent, are told`, async (t) => {
    await using mesh = await createMesh();
    mesh.handle('web', () => new Response('hello'));
    await t.throwsAsync(mesh.rpc({ ...reference, cluster: 'web' }).invoke('ping'), {
      code: 'ERR_UPSTREAM_PROTOCOL',
    });
    await mesh.serveRpc({ ...reference, methods: { odd: () => ({ call: [Symbol('x')] }) } });
    const error = await t.throwsAsync(mesh.rpc(reference).invoke('odd'), { code: 'ERR_RPC_REFUSED' });
    t.regex(error?.message ?? '', /symbol/);
    t.is((await mesh.request({ authority: service, method: 'POST', body: 'x' })).status, 415);
  });

  test(`${protocol}: arguments that cannot be sent never leave`, async (t) => {
    await using mesh = await createMesh();
    const greeter = mesh.rpc(reference);
    await t.throwsAsync(greeter.invoke('m', ['x'], { argTypes: ['long'] }), { code: 'ERR_RPC_VALUE' });
    await t.throwsAsync(greeter.invoke('m', ['x'], { argTypes: [] }), { code: 'ERR_OPTION_INVALID' });
    await t.throwsAsync(greeter.invoke('', []), { code: 'ERR_OPTION_INVALID' });
    await t.throwsAsync(greeter.invoke('m', [], { timeoutMs: -1 }), { code: 'ERR_OPTION_INVALID' });
    t.is(mesh.runtime.proxy.active, 0);
  });
}

test('dubbo: $echo and generic invocation are answered without a method for them', async (t) => {
  await using mesh = await createMesh();
  await mesh.serveRpc({ protocol: 'dubbo', service, methods: { add: (a: number, b: number) => a + b } });
  const greeter = mesh.rpc({ protocol: 'dubbo', service });
  t.is(await greeter.invoke('$echo', ['hello']), 'hello');
  t.is(await greeter.invoke('add', [1, 2], { generic: true }), 3);
  t.is(await greeter.invoke('add', [1, 2], { generic: true, argTypes: ['int', 'int'] }), 3);
  await t.throwsAsync(mesh.rpc({ protocol: 'bolt', service }).invoke('add', [1, 2], { generic: true }), {
    code: 'ERR_OPTION_INVALID',
  });
});

test('a method that an object inherits is no method', async (t) => {
  await using mesh = await createMesh();
  await mesh.serveRpc({ protocol: 'bolt', service, methods: { own: () => 1 } });
  for (const method of ['toString', 'constructor', '__proto__', 'hasOwnProperty']) {
    await t.throwsAsync(mesh.rpc({ protocol: 'bolt', service }).invoke(method), { code: 'ERR_RPC_REFUSED' });
  }
});
