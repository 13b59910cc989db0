import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import test from 'ava';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';
import { endpoint } from '../../../../src/testing/suites/registry-contract-suite.ts';
import { SocketWire } from '../../../../src/transport/wire/socket-wire.ts';
import { runProgram } from '../../../fixtures/run-program.ts';
import { FakeZooKeeper } from './fake-server.ts';

test('a program that waits for nothing but its registry starts, reads its list, and ends in order', async (t) => {
  const fake = new FakeZooKeeper(new FakeClock());
  fake.tree.put('/heddle/users/10.0.0.1:80', JSON.stringify(endpoint('10.0.0.1:80')));
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    fake.accept(new SocketWire(socket, 'tcp', 'accepted'));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const program = `
    import { createMesh } from './src/index.ts';
    const config = { addresses: ['${address}'], dialect: 'plain' };
    const mesh = await createMesh({ clusters: [{ name: 'users', discovery: { name: 'zookeeper', config } }] });
    console.log(mesh.clusters.get('users').hostSet.all.map((host) => host.address).join());
    await mesh.close();
    console.log('closed');
  `;
  const { stdout, stderr, exitCode } = await runProgram(['--input-type=module', '-e', program]);
  t.is(stdout, '10.0.0.1:80\nclosed\n', stderr);
  t.is(exitCode, 0);
  t.is(fake.sessions.size, 0);
});
