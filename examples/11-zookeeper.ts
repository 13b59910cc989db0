/**
 * A Dubbo service of this process, published on ZooKeeper as Dubbo 2 and 3 read it, and found there by a second mesh as it
 * would find a provider in Java or Go. Two commands start it all:
 *
 *   docker run --rm -p 2181:2181 zookeeper:3.9        (or: apt-get install zookeeperd)
 *   npx node examples/11-zookeeper.ts
 *
 * The servers of an ensemble stand in ZOOKEEPER, separated by commas (127.0.0.1:2181).
 */
import { connect } from 'node:net';
import { createMesh } from '../src/index.ts';

const addresses = (process.env['ZOOKEEPER'] ?? '127.0.0.1:2181').split(',');
const service = 'com.example.Greeter';

/** So that this ends with a word where no server is. */
function isUp(address: string): Promise<boolean> {
  const [host = '127.0.0.1', port = '2181'] = address.split(':');
  const socket = connect(Number(port), host).setTimeout(1000);
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
  const zookeeper = { name: 'zookeeper', config: { addresses, application: 'greeter-example' } };

  // The provider: serves, and says so under both levels, by interface and by application.
  const provider = await createMesh({ localRegistry: { registries: [zookeeper] } });
  const greeter = await provider.serveRpc({
    protocol: 'dubbo',
    service,
    version: '1.0',
    address: '127.0.0.1:0',
    methods: { greet: (name: string) => `hello, ${name}` },
  });
  const publication = {
    service: `${service}:1.0`,
    protocol: 'dubbo',
    endpoint: { address: greeter.address, weight: 100, metadata: {}, zone: '', priority: 0, hostname: '' },
  };
  await provider.localRegistry.registry.publish({ publication, ttlMs: 0, waitMs: 5000 });
  console.log('published on', addresses.join(', '));

  // The consumer: knows the registry and the name of the service, nothing else.
  const consumer = await createMesh({
    clusters: [{ name: 'greeter', codec: 'dubbo', discovery: { ...zookeeper, service: `${service}:1.0` } }],
  });
  const reference = consumer.rpc({ protocol: 'dubbo', service, version: '1.0', cluster: 'greeter' });
  console.log('answer:', await reference.invoke('greet', ['loom'], { timeoutMs: 5000 }));

  await consumer.close();
  // A drain takes back what was published before it stops to answer.
  await provider.drain(1000);
}

if (await isUp(addresses[0] as string)) await main();
else console.log(`skipped: no ZooKeeper at ${addresses[0]}; docker run --rm -p 2181:2181 zookeeper:3.9`);
