/**
 * An HTTP service of this process, published on Nacos as a plain Nacos service, the way Spring Cloud and others list theirs,
 * and found there by a second mesh under its name. Two commands start it all:
 *
 *   docker run --rm -p 8848:8848 -p 9848:9848 -e MODE=standalone nacos/nacos-server:v2.5.1
 *   npx node examples/14-nacos.ts
 *
 * The servers stand in NACOS by their HTTP port, separated by commas (127.0.0.1:8848); gRPC is 1000 further.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { createMesh } from '../src/index.ts';

const addresses = (process.env['NACOS'] ?? '127.0.0.1:8848').split(',');

/** So that this ends with a word where no server is. */
function isUp(address: string): Promise<boolean> {
  const [host = '127.0.0.1', port = '8848'] = address.split(':');
  const socket = connect(Number(port) + 1000, host).setTimeout(1000);
  return new Promise((resolve) => {
    const end = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}

async function main(): Promise<void> {
  const nacos = { name: 'nacos', config: { addresses } };
  const server = createServer((request, response) => response.end(`users saw ${request.url}`));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  // Says where the service is, until it is drained. A standalone proxy does the same for any program:
  // heddle registry publish heddle-users 127.0.0.1:8080
  const provider = await createMesh({ localRegistry: { registries: [nacos] } });
  const publication = {
    service: 'heddle-users',
    protocol: 'http',
    endpoint: { address, weight: 1, metadata: { version: '2' }, zone: '', priority: 0, hostname: '' },
  };
  await provider.localRegistry.registry.publish({ publication, ttlMs: 0, waitMs: 5000 });
  console.log('published on', addresses.join(', '));

  // Knows the registry and the name of the service, nothing else.
  const consumer = await createMesh({
    clusters: [{ name: 'users', discovery: { ...nacos, service: 'heddle-users' } }],
  });
  const isListed = (): boolean => (consumer.clusters.get('users')?.hostSet.all.length ?? 0) > 0;
  for (let i = 0; i < 100 && !isListed(); i++) await new Promise((resolve) => setTimeout(resolve, 100));
  console.log('answer:', await (await consumer.fetch('http://users/42')).text());

  await consumer.close();
  await provider.drain(1000);
  server.close();
}

if (await isUp(addresses[0] as string)) await main();
else
  console.log(`skipped: no Nacos at ${addresses[0]}; see the first lines of this file for how to start one`);
