/**
 * A fixed piece of work of the data path's kind (bytes scanned, strings cut, a map asked, a buffer copied): how fast this
 * machine is, so that committed figures mean something on another one. `calibrate.ts` prints { ns, minNs } per pass.
 */
const text =
  'GET /api/v1/items/7?size=1024 HTTP/1.1\r\nhost: svc042.bench.test\r\nuser-agent: bench/1\r\naccept: */*\r\n' +
  'cookie: session=8f14e45fceea167a5a36dedd4bea2543\r\nx-tenant: tenant-7\r\n\r\n';
const bytes = Buffer.from(text, 'latin1');
const target = Buffer.alloc(4096);
const known = new Map(Array.from({ length: 200 }, (_, index) => [`name-${index}`, index]));
known.set('svc042.bench.test', 1);

function pass(): number {
  let sum = 0;
  let lineStart = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 10) continue;
    for (let j = lineStart; j < i; j++) sum = (Math.imul(sum, 31) + ((bytes[j] as number) | 0x20)) | 0;
    lineStart = i + 1;
  }
  sum += known.get(bytes.toString('latin1', 46, 63)) ?? 0;
  bytes.copy(target, sum & 255, 0, bytes.length);
  return sum;
}

const batches: number[] = [];
let sink = 0;
for (let batch = 0; batch < 40; batch++) {
  const start = performance.now();
  let passes = 0;
  while (performance.now() - start < 20) {
    for (let i = 0; i < 100; i++) sink = (sink + pass()) | 0;
    passes += 100;
  }
  batches.push(((performance.now() - start) * 1e6) / passes);
}
batches.sort((a, b) => a - b);
process.stdout.write(`${JSON.stringify({ ns: batches[20], minNs: batches[0], sink })}\n`);
