/**
 * ioredis over sockets of the mesh: the cluster's balancer chooses a host for each connection, so a replica that is gone is
 * replaced at the next reconnect. REDIS=host:port uses a server of yours, else a stand-in answers.
 */
import { createMesh, redisConnector } from 'heddle';
import { Redis } from 'ioredis';
import { startStandIn } from './stand-in.js';

const standIn = process.env.REDIS === undefined ? await startStandIn() : null;
const mesh = await createMesh({
  clusters: [{ name: 'cache', endpoints: [process.env.REDIS ?? standIn.address] }],
});

const redis = new Redis({ Connector: redisConnector(mesh, 'cache') });
console.log(await redis.set('greeting', 'hello'));
console.log(await redis.get('greeting'));
console.log(await redis.get('nothing'));
const counts = await Promise.all(Array.from({ length: 100 }, () => redis.incr('count')));
console.log('pipelined:', counts.at(-1));

await redis.quit();
await mesh.close();
standIn?.close();
