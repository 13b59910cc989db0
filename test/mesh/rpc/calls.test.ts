import test from 'ava';
import { createMesh, HeddleError, JavaException } from '../../../src/index.ts';

const service = 'com.example.Greeter';

const methods = {
  sayHello: (name: string) => `hello ${name}`,
  sum: { returns: 'long', handler: (a: number, b: number) => a + b },
  same: (value: unknown) => value,
  fail: () => {
    throw new JavaException('com.example.NoSuchUserException', 'no user 42');
  },
};

for (const protocol of ['bolt', 'dubbo'] as const) {
  test(`${protocol}: a service of this process answers a call of this process`, async (t) => {
    await using mesh = await createMesh();
    await using _service = await mesh.serveRpc({ protocol, service, version: '1.0', methods });
    const greeter = mesh.rpc({ protocol, service, version: '1.0' });
    t.is(await greeter.invoke('sayHello', ['ann']), 'hello ann');
    t.is(await greeter.invoke('sum', [1, 2], { argTypes: ['long', 'long'] }), 3);
  });

  test(`${protocol}: a service at an address answers a mesh that calls it over the wire`, async (t) => {
    await using provider = await createMesh();
    await using greeter = await provider.serveRpc({
      protocol,
      service,
      version: '1.0',
      methods,
      address: '127.0.0.1:0',
    });
    await using consumer = await createMesh({
      clusters: [{ name: 'greeters', codec: protocol, endpoints: [greeter.address] }],
    });
    const reference = consumer.rpc({ protocol, service, version: '1.0', cluster: 'greeters' });
    t.is(await reference.invoke('sayHello', ['bob']), 'hello bob');
    const error = await t.throwsAsync(reference.invoke('fail'), { instanceOf: HeddleError });
    t.is(error?.code, 'ERR_RPC_EXCEPTION');
    t.is(error?.context['remoteClass'], 'com.example.NoSuchUserException');
    t.is(error?.context['remoteMessage'], 'no user 42');
  });
}
