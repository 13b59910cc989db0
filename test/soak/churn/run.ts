import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { gateway, proxyProcess, rssBytes } from '../../e2e/support.ts';
import { Scope } from '../../interop/kit/check.ts';
import { eventually, upstream } from '../../mesh/support.ts';
import { soakSeconds } from '../seconds.ts';

const mebibyte = 1024 * 1024;
const loops = 32;
const allowedGrowthBytes = 24 * mebibyte;

/** What one short connection does; the upstream answers all the same. */
const manners = ['ask', 'ask twice', 'leave early', 'reset', 'half a head', 'garbage', 'half close'] as const;

/**
 * Connections of every manner opened and closed for minutes: descriptors and memory of the proxy end where they were
 * after the first quarter, and every polite request is answered.
 */
export async function run(): Promise<void> {
  await using scope = new Scope();
  const seconds = soakSeconds(120);
  const { address: host } = await upstream(scope, (_request, response) => void response.end('ok'));
  // A small heap: what only waits for the collector does not look like a leak, and a leak ends the process. Without
  // it the young generation alone grows by about 90 MiB of pages, with 17 MiB in use throughout.
  const proxy = await proxyProcess(
    scope,
    gateway(host),
    [],
    'export NODE_OPTIONS="--max-old-space-size=48 --max-semi-space-size=2"',
  );
  const counts = { connections: 0, asked: 0, answered: 0 };
  const start = performance.now();
  const until = async (endSeconds: number): Promise<void> => {
    const isOver = (): boolean => performance.now() - start > endSeconds * 1000;
    await Promise.all(
      Array.from({ length: loops }, async (_, i) => {
        for (let at = i; !isOver(); at++)
          await once(proxy.address, manners[at % manners.length] ?? 'ask', counts);
      }),
    );
  };
  const settled = async (): Promise<{ descriptors: number; rss: number }> => {
    await eventually(() => descriptorsOf(proxy.pid) < 64, 'connections are closed');
    return { descriptors: descriptorsOf(proxy.pid), rss: await rssBytes(proxy.pid) };
  };
  await until(seconds / 4);
  const before = await settled();
  await until(seconds);
  const after = await settled();
  const grown = after.rss - before.rss;
  console.log(
    `churn: ${counts.connections} connections in ${seconds} s, ${counts.answered} of ${counts.asked} requests answered, descriptors ${before.descriptors} -> ${after.descriptors}, RSS ${(grown / mebibyte).toFixed(1)} MiB more`,
  );
  if (counts.answered !== counts.asked) throw new Error('polite requests were lost');
  if (grown > allowedGrowthBytes) throw new Error(`RSS grew by ${grown} bytes`);
  if (after.descriptors > before.descriptors + loops) throw new Error('descriptors leak');
}

function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

const head = 'GET / HTTP/1.1\r\nhost: a\r\n';

function once(
  address: string,
  manner: (typeof manners)[number],
  counts: { connections: number; asked: number; answered: number },
): Promise<void> {
  counts.connections++;
  const socket = connect({ port: Number(address.split(':')[1]), host: '127.0.0.1', allowHalfOpen: true });
  let text = '';
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    text += chunk;
    if (manner === 'leave early') socket.destroy();
  });
  socket.on('end', () => socket.end());
  // A client that has closed its half is gone by default (`allowHalfClose`).
  const expects = manner === 'ask twice' ? 2 : manner === 'ask' ? 1 : 0;
  counts.asked += expects;
  socket.on('connect', () => {
    if (manner === 'ask') socket.write(`${head}connection: close\r\n\r\n`);
    else if (manner === 'ask twice') socket.write(`${head}\r\n${head}connection: close\r\n\r\n`);
    else if (manner === 'half close') socket.end(`${head}connection: close\r\n\r\n`);
    else if (manner === 'garbage') socket.write('\x16\x03\x01 what is this?\r\n\r\n');
    else if (manner === 'half a head') socket.write(head, () => socket.destroy());
    else if (manner === 'reset') socket.write(`${head}\r\n`, () => socket.resetAndDestroy());
    else socket.write(`${head}\r\n`);
  });
  return new Promise((resolve) => {
    socket.on('close', () => {
      if (expects > 0) counts.answered += text.match(/HTTP\/1\.1 200 /g)?.length ?? 0;
      resolve();
    });
  });
}
