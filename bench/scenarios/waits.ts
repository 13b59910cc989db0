import { faultAt, type Scenario } from './seeded.ts';

const limitMs = 10_000;

/** A second thread that calls the program's server, so that the load is not the monitored thread's own work. */
const load = (ratePerSecond: number): string => `
function startLoad(port, ratePerSecond) {
  new Worker(\`
    const http = require('node:http'); const { workerData } = require('node:worker_threads');
    const agent = new http.Agent({ keepAlive: true });
    setInterval(() => { http.get({ port: workerData.port, host: '127.0.0.1', path: '/orders/1', agent }, (answer) => answer.resume()).on('error', () => {}); }, 1000 / workerData.ratePerSecond);
  \`, { eval: true, execArgv: [], workerData: { port, ratePerSecond } });
}
server.on('listening', () => startLoad(server.address().port, ${ratePerSecond}));`;

const slowUpstream: Scenario = {
  name: 'slow upstream',
  limitMs,
  causes: ['slow-upstream'],
  program: (seeded) => {
    const [fetcher, handler] = [seeded.name(), seeded.name()];
    const source = `
import http from 'node:http';
import { Worker } from 'node:worker_threads';
const upstream = new Worker(\`
  const http = require('node:http'); const { parentPort } = require('node:worker_threads');
  let delayMs = 5; parentPort.on('message', (value) => { delayMs = value; });
  const server = http.createServer((request, response) => setTimeout(() => response.end('ok'), delayMs));
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
\`, { eval: true, execArgv: [] });
const port = await new Promise((resolve) => upstream.once('message', resolve));
function ${fetcher}(path) {
  return new Promise((resolve, reject) => http.get({ port, host: '127.0.0.1', path, agent: false }, (answer) => { answer.resume(); answer.on('end', resolve); }).on('error', reject));
}
async function ${handler}(request, response) { await ${fetcher}('/stock/7').catch(() => {}); response.end('done'); }
const server = http.createServer(${handler}).listen(0, '127.0.0.1');
${load(seeded.int(40, 70))}
${faultAt(seeded, 'upstream.postMessage(60000);')}`;
    return { source, guilty: [fetcher, handler] };
  },
};

const lockWaiters: Scenario = {
  name: 'one lock with 700 waiters',
  limitMs,
  causes: ['lock-contention'],
  program: (seeded) => {
    const [enter, work, handler] = [seeded.name(), seeded.name(), seeded.name()];
    const source = `
import http from 'node:http';
import { Worker } from 'node:worker_threads';
let held = false; let workMs = 1; const queue = [];
function ${enter}() { if (!held) { held = true; return Promise.resolve(); } return new Promise((resolve) => queue.push(resolve)); }
function leave() { const next = queue.shift(); if (next) next(); else held = false; }
async function ${work}() { await ${enter}(); try { await new Promise((resolve) => setTimeout(resolve, workMs)); } finally { leave(); } }
async function ${handler}(request, response) { await ${work}(); response.end('done'); }
const server = http.createServer(${handler}).listen(0, '127.0.0.1');
${load(seeded.int(90, 130))}
${faultAt(seeded, 'workMs = 60000;')}`;
    return { source, guilty: [enter, work] };
  },
};

/** Needs HEDDLE_BENCH_TLS: a directory with key.pem and cert.pem, made for the run. */
const slowReaders: Scenario = {
  name: 'TLS write buffers towards slow readers',
  limitMs,
  causes: ['slow-readers'],
  program: (seeded) => {
    const [pusher, maker] = [seeded.name(), seeded.name()];
    const source = `
import fs from 'node:fs';
import tls from 'node:tls';
import { Worker } from 'node:worker_threads';
const directory = process.env.HEDDLE_BENCH_TLS;
const key = fs.readFileSync(directory + '/key.pem'); const cert = fs.readFileSync(directory + '/cert.pem');
const readers = new Set();
const server = tls.createServer({ key, cert }, (socket) => { readers.add(socket); socket.on('error', () => {}); socket.on('close', () => readers.delete(socket)); }).listen(0, '127.0.0.1');
let clients;
server.on('listening', () => {
  clients = new Worker(\`
    const tls = require('node:tls'); const { workerData, parentPort } = require('node:worker_threads');
    const sockets = Array.from({ length: ${seeded.int(6, 12)} }, () => tls.connect({ port: workerData, host: '127.0.0.1', rejectUnauthorized: false }).on('error', () => {}).on('data', () => {}));
    parentPort.on('message', () => { for (const socket of sockets) socket.pause(); });
  \`, { eval: true, execArgv: [], workerData: server.address().port });
});
function ${maker}(size) { return Buffer.alloc(size, 7); }
function ${pusher}() { for (const reader of readers) reader.write(${maker}(${seeded.int(64, 128)} * 1024)); }
setInterval(${pusher}, ${seeded.int(20, 30)});
${faultAt(seeded, "clients.postMessage('pause');")}`;
    return { source, guilty: [pusher, maker] };
  },
};

export const waitScenarios: readonly Scenario[] = [slowUpstream, lockWaiters, slowReaders];
