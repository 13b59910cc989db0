import { faultAt, type Scenario, type Seeded } from './seeded.ts';

const limitMs = 3000;

const syncLoop: Scenario = {
  name: 'sync loop',
  limitMs,
  causes: ['sync-work'],
  program: (seeded) => {
    const [inner, outer] = [seeded.name(), seeded.name()];
    const source = `
function ${inner}(until) { let sum = 0; while (Date.now() < until) sum += Math.sqrt(sum + 1); return sum; }
function ${outer}() { return ${inner}(Date.now() + ${seeded.int(3500, 6000)}); }
${faultAt(seeded, `${outer}();`)}`;
    return { source, guilty: [inner] };
  },
};

/** The loop was optimised long before the profiler starts. */
const hotLoop: Scenario = {
  name: 'hot loop already running',
  limitMs,
  causes: ['sync-work', 'busy-loop'],
  program: (seeded) => {
    const [hot, handler] = [seeded.name(), seeded.name()];
    const source = `
const table = new Float64Array(${seeded.int(500, 4000)}).map((_, index) => index % 7);
function ${hot}(rounds) { let sum = 0; for (let round = 0; round < rounds; round++) for (let index = 0; index < table.length; index++) sum += table[index] * round; return sum; }
let rounds = 50;
function ${handler}() { return ${hot}(rounds); }
setInterval(${handler}, 20);
${faultAt(seeded, `rounds = ${seeded.int(4, 6)} * 1e9 / table.length;`)}`;
    return { source, guilty: [hot] };
  },
};

const jsonBomb: Scenario = {
  name: 'JSON bomb',
  limitMs,
  causes: ['json'],
  program: (seeded) => {
    const [reader, caller] = [seeded.name(), seeded.name()];
    const source = `
const body = '[' + '{"id":${seeded.int(1, 99999)},"tags":["a","b",{"deep":[1,2,3]}]},'.repeat(${seeded.int(150, 250)} * 1000) + '0]';
function ${reader}(text) { return JSON.parse(text).length; }
function ${caller}() { let sum = 0; const end = Date.now() + ${seeded.int(3500, 5000)}; while (Date.now() < end) sum += ${reader}(body); return sum; }
${faultAt(seeded, `${caller}();`)}`;
    return { source, guilty: [reader] };
  },
};

const regexHang: Scenario = {
  name: 'regular expression hang',
  limitMs,
  causes: ['regular-expression'],
  program: (seeded) => {
    const [checker, caller] = [seeded.name(), seeded.name()];
    const letter = 'abcdefgh'[seeded.int(0, 7)];
    const source = `
const pattern = /^(${letter}+)+$/;
function ${checker}(text) { return pattern.test(text); }
function ${caller}() { return ${checker}('${letter}'.repeat(${seeded.int(32, 34)}) + '!'); }
${faultAt(seeded, `${caller}();`)}`;
    return { source, guilty: [checker] };
  },
};

/** Fills the old space synchronously within about a second, and dies. */
const suddenOutOfMemory: Scenario = {
  name: 'sudden out of memory',
  limitMs,
  causes: ['heap-leak'],
  nodeFlags: ['--max-old-space-size=200'],
  program: (seeded: Seeded) => {
    const [filler, caller] = [seeded.name(), seeded.name()];
    const source = `
const kept = [];
function ${filler}(size) { kept.push(Array.from({ length: size }, (_, index) => ({ index, text: 'v' + index }))); }
function ${caller}() { for (;;) ${filler}(${seeded.int(500, 3000)}); }
${faultAt(seeded, `${caller}();`)}`;
    return { source, guilty: [filler] };
  },
};

export const stallScenarios: readonly Scenario[] = [
  syncLoop,
  hotLoop,
  jsonBomb,
  regexHang,
  suddenOutOfMemory,
];
