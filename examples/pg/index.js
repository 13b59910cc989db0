/**
 * pg over a socket of the mesh: each connection of the pool goes to a host that the cluster's balancer chose.
 * POSTGRES=host:port (with PGUSER, PGPASSWORD) uses a server of yours, else a stand-in answers.
 */
import { clusterSocket, createMesh } from 'heddle';
import pg from 'pg';
import { startStandIn } from './stand-in.js';

const standIn = process.env.POSTGRES === undefined ? await startStandIn() : null;
const mesh = await createMesh({
  clusters: [{ name: 'database', endpoints: [process.env.POSTGRES ?? standIn.address] }],
});

const pool = new pg.Pool({
  user: process.env.PGUSER ?? 'demo',
  database: process.env.PGDATABASE ?? 'postgres',
  max: 4,
  stream: () => clusterSocket(mesh, 'database'),
});
const { rows } = await pool.query("select 'hello' as greeting");
console.log(rows[0].greeting);
const answers = await Promise.all(Array.from({ length: 20 }, () => pool.query("select 'hello' as greeting")));
console.log(answers.length, 'answers over', pool.totalCount, 'connections');

await pool.end();
await mesh.close();
standIn?.close();
