import type { Seeded } from './seeded.ts';

/** A program that has bursts and nothing wrong. */
export interface Healthy {
  readonly name: string;
  source(seeded: Seeded): string;
}

const every = (seeded: Seeded, low: number, high: number, run: string): string =>
  `setTimeout(function again() { ${run}; setTimeout(again, ${low} + Math.random() * ${high - low}); }, ${seeded.int(500, 5000)});`;

const server = (handler: string): string => `
import http from 'node:http';
const server = http.createServer(${handler}).listen(0, '127.0.0.1');
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
const call = () => http.get({ port: server.address().port, host: '127.0.0.1', path: '/x', agent }, (answer) => answer.resume()).on('error', () => {});`;

export const healthyPrograms: readonly Healthy[] = [
  {
    name: 'idle with a heartbeat',
    source: () => 'setInterval(() => {}, 1000);',
  },
  {
    name: 'HTTP bursts',
    source: (
      seeded,
    ) => `${server("(request, response) => setTimeout(() => response.end('x'.repeat(2000)), 3)")}
setInterval(call, 50);
${every(seeded, 8000, 15_000, 'for (let index = 0; index < 300; index++) call()')}`,
  },
  {
    name: 'CPU bursts in slices',
    source: (seeded) => `
function slice(until) { const end = performance.now() + 30; let sum = 0; while (performance.now() < end) sum += Math.sqrt(sum + 1); if (Date.now() < until) setImmediate(slice, until); }
${every(seeded, 10_000, 20_000, `slice(Date.now() + ${seeded.int(1500, 3000)})`)}`,
  },
  {
    name: 'garbage bursts',
    source: (seeded) => `
function burst(rounds) { let sum = 0; for (let index = 0; index < 20000; index++) sum += [index, { index }].length; if (rounds > 0) setImmediate(burst, rounds - 1); return sum; }
${every(seeded, 5000, 12_000, `burst(${seeded.int(200, 500)})`)}`,
  },
  {
    name: 'bounded cache that fills and turns over',
    source: (seeded) => `
const cache = new Map();
setInterval(() => { for (let index = 0; index < 40; index++) { cache.set(Math.random(), 'v'.repeat(500) + index); if (cache.size > ${seeded.int(4000, 8000)}) cache.delete(cache.keys().next().value); } }, 20);`,
  },
  {
    name: 'JSON work of a tenth of a second',
    source: (seeded) => `
const text = JSON.stringify(Array.from({ length: ${seeded.int(20, 40)} * 1000 }, (_, index) => ({ index, name: 'n' + index, tags: [1, 2, 3] })));
${every(seeded, 3000, 9000, 'JSON.parse(text)')}`,
  },
  {
    name: 'timers set and cleared',
    source: (seeded) => `
setInterval(() => { const timers = Array.from({ length: ${seeded.int(50, 200)} }, () => setTimeout(() => {}, 5000)); setTimeout(() => timers.forEach(clearTimeout), 300); }, 100);`,
  },
  {
    name: 'long polls',
    source: (
      seeded,
    ) => `${server("(request, response) => setTimeout(() => response.end('news'), 4000 + Math.random() * 4000)")}
server.on('listening', () => { for (let index = 0; index < ${seeded.int(20, 40)}; index++) (function poll() { http.get({ port: server.address().port, host: '127.0.0.1', agent: false }, (answer) => { answer.resume(); answer.on('end', poll); }).on('error', () => setTimeout(poll, 500)); })(); });`,
  },
  {
    name: 'buffers in and out',
    source: (seeded) => `
import zlib from 'node:zlib';
let held = [];
${every(seeded, 4000, 9000, `held = []; for (let index = 0; index < ${seeded.int(5, 15)}; index++) { const block = Buffer.alloc(512 * 1024, index); held.push(block); zlib.gzip(block, () => {}); }`)}
setInterval(() => { held.pop(); }, 200);`,
  },
  {
    name: 'connections that come and go',
    source: (seeded) => `
import net from 'node:net';
const server = net.createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1');
${every(seeded, 6000, 12_000, `for (let index = 0; index < ${seeded.int(60, 120)}; index++) { const socket = net.connect(server.address().port, '127.0.0.1').on('error', () => {}); socket.write('x'); setTimeout(() => socket.end(), 1000 + Math.random() * 3000); }`)}`,
  },
];
