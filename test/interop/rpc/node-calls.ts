import assert from 'node:assert/strict';
import { HeddleError, type RpcReference } from '../../../src/index.ts';
import { eventually } from '../../mesh/support.ts';

const user = {
  $class: 'heddle.interop.User',
  $: {
    name: 'ann',
    age: 40,
    balance: 9_007_199_254_740_993n,
    score: { $class: 'double', $: 2 },
    active: true,
    since: new Date(1_600_000_000_123),
    tags: ['x', 'y'],
    friend: { $class: 'heddle.interop.User', $: { name: 'bob', age: 50, friend: null } },
  },
};

/** Every kind of call from Node to a peer, Java's or ours. @returns how many were made */
export async function callFromNode(peer: RpcReference): Promise<number> {
  assert.equal(await peer.invoke('echo', ['grüße 😀']), 'grüße 😀');
  const older = (await peer.invoke('older', [user, 2])) as Record<string, unknown>;
  assert.equal(older['age'], 42);
  assert.equal(older['balance'], 9_007_199_254_740_993n);
  assert.equal(older['score'], 2);
  assert.deepEqual(older['since'], new Date(1_600_000_000_123));
  assert.deepEqual(older['tags'], ['x', 'y']);
  assert.equal((older['friend'] as Record<string, unknown>)['age'], 52);
  assert.deepEqual(await peer.invoke('reversed', [['a', 1, 2n, 3.5, true, null]]), [
    null,
    true,
    3.5,
    2,
    1,
    'a',
  ]);
  assert.deepEqual(await peer.invoke('swapped', [{ one: 1, two: 'zwei' }]), { 1: 'one', zwei: 'two' });
  const longs = { argTypes: ['long', 'long'] };
  assert.equal(await peer.invoke('sum', [4_611_686_018_427_387_904n, 1], longs), 4_611_686_018_427_387_905n);
  assert.equal(await peer.invoke('sum', [1, 2], longs), 3);
  const dated = { argTypes: ['java.util.Date', 'long'] };
  assert.deepEqual(
    await peer.invoke('later', [new Date(1_700_000_000_000), 1500], dated),
    new Date(1_700_000_001_500),
  );
  const object = { argTypes: ['java.lang.Object'] };
  assert.equal(await peer.invoke('same', [null], object), null);
  assert.equal(await peer.invoke('same', [0], object), 0);
  assert.equal(await peer.invoke('same', [false], object), false);
  assert.equal(await peer.invoke('same', [''], object), '');
  assert.equal(await peer.invoke('older', [null, 1], { argTypes: ['heddle.interop.User', 'int'] }), null);
  assert.deepEqual(
    await peer.invoke('bytes', [Buffer.from([1, 2, 253])], { argTypes: ['byte[]'] }),
    Buffer.from([253, 2, 1]),
  );
  assert.equal(await peer.invoke('note', ['noted'], { oneway: true }), null);
  await eventually(async () => String(await peer.invoke('notes')).includes('noted'), 'the note arrives');
  const big = '0123456789abcdef'.repeat(65_536);
  assert.equal(await peer.invoke('echo', [big]), big);
  const texts = Array.from({ length: 400 }, (_, i) => `call ${i}`);
  assert.deepEqual(await Promise.all(texts.map((text) => peer.invoke('echo', [text]))), texts);
  await callAttachment(peer);
  await callFailing(peer);
  return 18 + texts.length;
}

async function callAttachment(peer: RpcReference): Promise<void> {
  const name = peer.target.protocol === 'bolt' ? 'rpc_req_baggage.tenant' : 'tenant';
  const { value, attachments } = await peer.call('attachment', ['tenant'], {
    attachments: { [name]: 'acme' },
  });
  assert.equal(value, 'acme');
  if (peer.target.protocol === 'dubbo') assert.match(attachments['served-by'] ?? '', /^(java|node)$/);
}

async function callFailing(peer: RpcReference): Promise<void> {
  const thrown = async (method: string, args: unknown[], options = {}): Promise<HeddleError> => {
    try {
      await peer.invoke(method, args, options);
    } catch (error) {
      assert.ok(error instanceof HeddleError);
      return error;
    }
    throw new Error(`${method} did not throw`);
  };
  const declared = await thrown('declared', ['x']);
  assert.equal(declared.code, 'ERR_RPC_EXCEPTION');
  assert.equal(declared.context['remoteClass'], 'heddle.interop.DeclaredException');
  assert.equal(declared.context['remoteMessage'], 'declared: x');
  const runtime = await thrown('runtime', ['x']);
  assert.equal(runtime.context['remoteClass'], 'java.lang.IllegalStateException');
  assert.equal(runtime.context['remoteMessage'], 'runtime: x');
  const missing = await thrown('noSuchMethod', []);
  assert.match(missing.code, /^ERR_RPC_/);
  const slow = await thrown('slow', [4000], { argTypes: ['long'], timeoutMs: 300 });
  assert.equal(slow.code, 'ERR_REQUEST_TIMEOUT');
  assert.equal(await peer.invoke('echo', ['after']), 'after');
}
