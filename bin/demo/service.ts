import { createServer } from 'node:http';
import { createMesh, HeddleError, type Mesh } from '../../src/index.ts';
import { type RpcProtocol, rpcProtocols, userService } from './stage.ts';

/**
 * A sample service of the demo: `service.ts NAME` listens on free loopback ports, tells them to its parent, answers with
 * its name, and finishes what runs on SIGTERM. The same answers over HTTP, Bolt and Dubbo. Every twentieth takes 20 ms
 * longer, so that p99 shows something.
 */
const name = process.argv[2] ?? 'service';
let served = 0;

const pause = (): Promise<void> =>
  ++served % 20 === 0 ? new Promise((resolve) => setTimeout(resolve, 20)) : Promise.resolve();

const server = createServer((request, response) => {
  request.resume();
  void pause().then(() => {
    response.writeHead(200, { 'content-type': 'application/json', 'x-instance': name });
    response.end(JSON.stringify({ instance: name, path: request.url, served }));
  });
});
server.keepAliveTimeout = 60_000;

const find = async (path: string) => {
  await pause();
  return { instance: name, path };
};

const serveRpc = async (mesh: Mesh, protocol: RpcProtocol): Promise<string> => {
  const options = { protocol, service: userService, methods: { find }, cluster: `${protocol}-users` };
  return (await mesh.serveRpc({ ...options, address: '127.0.0.1:0' })).address;
};

const mesh = await createMesh();
const rpc: Record<string, string> = {};
let missing = '';
try {
  for (const protocol of rpcProtocols) rpc[protocol] = await serveRpc(mesh, protocol);
} catch (thrown) {
  // Without the hessian libraries the demo shows HTTP, and says why not more.
  if (!(thrown instanceof HeddleError) || thrown.code !== 'ERR_PEER_MISSING') throw thrown;
  missing = thrown.message;
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null)
    process.send?.({ name, port: address.port, rpc, missing });
});

const stop = (): void => {
  server.close(() => void mesh.drain(5000).then(() => process.exit(0)));
  server.closeIdleConnections();
};
process.on('SIGTERM', stop);
process.on('disconnect', stop);
