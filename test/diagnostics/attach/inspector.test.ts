import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import test from 'ava';
import { attach } from '../../../src/diagnostics/attach/index.ts';
import { connectInspector } from '../../../src/diagnostics/attach/inspector-socket.ts';
import { listeningPorts } from '../../../src/diagnostics/attach/listening-ports.ts';
import { type Child, startApp, testDirectory, until } from './child.ts';

interface Cleaner {
  teardown(clean: () => unknown): void;
}

/** A port that nobody has; both processes of a test want it for their inspector. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

const portOf = (child: Child): number => [...listeningPorts(child.pid)][0] ?? 0;

test('messages of every length go to an inspector and come back', async (t) => {
  const app = await startApp(t, '', ['--inspect=127.0.0.1:0']);
  const socket = await connectInspector(portOf(app), AbortSignal.timeout(10_000));
  const answers: { readonly id: number; readonly result: { readonly result: { readonly value: string } } }[] =
    [];
  socket.onMessage((text) => answers.push(JSON.parse(text)));
  const lengths = [1, 100, 200, 70_000];
  for (const [id, length] of lengths.entries()) {
    const params = { expression: `'${'ü'.repeat(length)}' + 'ä'`, returnByValue: true };
    socket.send(JSON.stringify({ id, method: 'Runtime.evaluate', params }));
  }
  await until('the answers', () => answers.length === lengths.length);
  t.deepEqual(
    answers.map(({ result }) => result.result.value),
    lengths.map((length) => `${'ü'.repeat(length)}ä`),
  );
  const closed = new Promise<void>((resolve) => socket.onClose(resolve));
  app.process.kill('SIGKILL');
  await closed;
  t.pass();
});

/** A server that answers with these bytes and hangs up, or stays silent. */
async function serve(t: Cleaner, answer: string | undefined): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    if (answer !== undefined) socket.end(answer);
  }).listen(0, '127.0.0.1');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}

test('what is no inspector is told by what it answers', async (t) => {
  const list = '[{"id":"1"}]';
  const cases: readonly [string | undefined, RegExp][] = [
    ['', /closed the connection/],
    ['x'.repeat(70_000), /answered no HTTP/],
    [`HTTP/1.0 200 OK\r\ncontent-length: ${list.length}\r\n\r\n${list}`, /somebody else is connected/],
    ['HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\nyes', /JSON/],
    [undefined, /no answer in time/],
  ];
  for (const [answer, message] of cases) {
    const port = await serve(t, answer);
    const timeoutMs = answer === undefined ? 100 : 10_000;
    await t.throwsAsync(connectInspector(port, AbortSignal.timeout(timeoutMs)), { message });
  }
});

test.serial('two processes whose inspectors want one port are attached to at the same time', async (t) => {
  const directory = await testDirectory(t);
  const flags = [`--inspect-port=${await freePort()}`];
  const apps = [await startApp(t, '', flags), await startApp(t, '', flags)];
  const monitor = { directory, recorder: false };
  const attached = await Promise.all(apps.map(({ pid }) => attach(pid, { monitor, timeoutMs: 10_000 })));
  t.deepEqual(
    attached.map(({ control }) => control.hello.pid),
    apps.map(({ pid }) => pid),
  );
  for (const { control } of attached) control.close();
  for (const { pid } of apps) t.deepEqual([...listeningPorts(pid)], []);
});

test.serial('who has the port of the inspector is named; an open inspector is left alone', async (t) => {
  const port = await freePort();
  const holder = await startApp(t, `require('node:net').createServer().listen(${port}, '127.0.0.1')`);
  await until('the port to be taken', () => portOf(holder) === port);
  const app = await startApp(t, '', [`--inspect-port=${port}`]);
  await t.throwsAsync(attach(app.pid, { timeoutMs: 300 }), {
    code: 'ERR_ATTACH_FAILED',
    message: new RegExp(`port ${port} of the inspector is taken by process ${holder.pid} `),
  });
  holder.process.kill('SIGKILL');
  await holder.exited;
  app.process.kill('SIGUSR1');
  await until('the inspector to be open', () => portOf(app) === port);
  const client = connect(port, '127.0.0.1');
  t.teardown(() => client.destroy());
  await once(client, 'connect');
  await t.throwsAsync(attach(app.pid), { code: 'ERR_ATTACH_REFUSED', message: /has a debugger/ });
  t.is(portOf(app), port, 'it is still open');
});
