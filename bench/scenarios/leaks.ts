import { faultAt, type Scenario } from './seeded.ts';

const limitMs = 10_000;

const promiseLeak: Scenario = {
  name: 'promise leak',
  limitMs,
  causes: ['promise-leak'],
  program: (seeded) => {
    const [waiter, caller] = [seeded.name(), seeded.name()];
    const source = `
const waiting = [];
function ${waiter}(order) { return new Promise((resolve) => { waiting.push(() => resolve(order)); }); }
async function ${caller}(number) { const order = { number, lines: [number, number + 1] }; await ${waiter}(order); return order; }
${faultAt(seeded, `setInterval(() => { for (let index = 0; index < ${seeded.int(200, 400)}; index++) ${caller}(index); }, 20);`)}`;
    return { source, guilty: [waiter, caller] };
  },
};

const timerLeak: Scenario = {
  name: 'timer leak',
  limitMs,
  causes: ['timer-leak'],
  program: (seeded) => {
    const [guard, caller] = [seeded.name(), seeded.name()];
    const source = `
function ${guard}(id) { return setTimeout(() => id, ${seeded.int(600, 3600)} * 1000); }
function ${caller}() { for (let index = 0; index < ${seeded.int(3, 12)}; index++) ${guard}(index); }
${faultAt(seeded, `setInterval(${caller}, 25);`)}`;
    return { source, guilty: [guard] };
  },
};

const socketLeak: Scenario = {
  name: 'socket leak',
  limitMs,
  causes: ['socket-leak'],
  program: (seeded) => {
    const [opener, caller] = [seeded.name(), seeded.name()];
    const source = `
import net from 'node:net';
const server = net.createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
function ${opener}() { return net.connect(server.address().port, '127.0.0.1').on('error', () => {}); }
function ${caller}() { ${opener}().write('hello'); }
${faultAt(seeded, `setInterval(${caller}, ${seeded.int(20, 35)});`)}`;
    return { source, guilty: [opener] };
  },
};

const closureLeak: Scenario = {
  name: 'closure leak',
  limitMs,
  causes: ['heap-leak'],
  program: (seeded) => {
    const [maker, caller] = [seeded.name(), seeded.name()];
    const source = `
const listeners = [];
function ${maker}(count) { const rows = Array.from({ length: count }, (_, index) => [index, 'row ' + index]); return () => rows.length; }
function ${caller}() { listeners.push(${maker}(${seeded.int(500, 900)})); }
${faultAt(seeded, `setInterval(${caller}, ${seeded.int(4, 8)});`)}`;
    return { source, guilty: [maker] };
  },
};

const bufferLeak: Scenario = {
  name: 'buffer leak',
  limitMs,
  causes: ['buffer-leak'],
  program: (seeded) => {
    const [reader, caller] = [seeded.name(), seeded.name()];
    const source = `
const kept = [];
function ${reader}(size) { const block = Buffer.alloc(size); block[0] = 1; return block; }
function ${caller}() { kept.push(${reader}(${seeded.int(64, 256)} * 1024).subarray(0, 16)); }
${faultAt(seeded, `setInterval(${caller}, ${seeded.int(8, 12)});`)}`;
    return { source, guilty: [reader] };
  },
};

/** What is alive nearly fills the heap, so each collection frees little and the next one is due at once. */
const gcThrash: Scenario = {
  name: 'GC thrash',
  limitMs,
  causes: ['gc-thrash'],
  nodeFlags: ['--max-old-space-size=150'],
  program: (seeded) => {
    const [maker, caller] = [seeded.name(), seeded.name()];
    const source = `
const kept = [];
let at = 0;
function ${maker}(number) { return { number, pair: [number, number], more: { count: number, list: [number] } }; }
function ${caller}() { const end = performance.now() + 20; while (performance.now() < end) for (let index = 0; index < 500; index++) { const made = ${maker}(index); if (kept.length < ${seeded.int(480, 500)} * 1000) kept.push(made); else kept[(at = (at + 7919) % kept.length)] = made; } setImmediate(${caller}); }
${faultAt(seeded, `${caller}();`)}`;
    return { source, guilty: [maker, caller] };
  },
};

export const leakScenarios: readonly Scenario[] = [
  promiseLeak,
  timerLeak,
  socketLeak,
  closureLeak,
  bufferLeak,
  gcThrash,
];
