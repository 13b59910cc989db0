import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { upstream, within } from '../mesh/support.ts';
import { gateway, proxyProcess, rssBytes } from './support.ts';

const mebibyte = 1024 * 1024;
const chunk = Buffer.alloc(64 * 1024, 'slow reader ');
const readEveryMs = 50;

export interface SlowReaderResult {
  readonly receivedBytes: number;
  readonly isSame: boolean;
  /** The most that the proxy's resident memory stood above idle; NaN where /proc is missing. */
  readonly grownBytes: number;
}

/**
 * A body of `bodyBytes` through a proxy process, read at 1 MiB/s for `slowSeconds` and then all of it, while an
 * upstream sends as fast as it may.
 */
export async function slowReader(
  t: Parameters<typeof upstream>[0],
  options: { readonly bodyBytes: number; readonly slowSeconds: number },
): Promise<SlowReaderResult> {
  const { address: host } = await upstream(t, (request, response) => {
    const wanted = request.url === '/warm' ? 8 * mebibyte : options.bodyBytes;
    response.setHeader('content-length', wanted);
    let sent = 0;
    const write = (): void => {
      while (sent < wanted) {
        sent += chunk.length;
        if (!response.write(chunk)) return void response.once('drain', write);
      }
      response.end();
    };
    write();
  });
  const child = await proxyProcess(t, gateway(host));
  for (let i = 0; i < 3; i++) await (await fetch(`http://${child.address}/warm`)).arrayBuffer();
  const idleBytes = await rssBytes(child.pid);
  let highestBytes = 0;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      highestBytes = Math.max(highestBytes, await rssBytes(child.pid));
      await new Promise((resolve) => setTimeout(resolve, readEveryMs));
    }
  })();
  const reading = read(child.address, options.slowSeconds);
  const { size, hash } = await within(reading, 'the whole body', options.slowSeconds * 1000 + 300_000);
  isOver = true;
  await watching;
  const wanted = createHash('sha256');
  for (let at = 0; at < options.bodyBytes; at += chunk.length) wanted.update(chunk);
  return {
    receivedBytes: size,
    isSame: hash === wanted.digest('hex'),
    grownBytes: Math.max(highestBytes, await rssBytes(child.pid)) - idleBytes,
  };
}

/** Reads a raw answer: 1 MiB/s at first, then as it comes. */
async function read(address: string, slowSeconds: number): Promise<{ size: number; hash: string }> {
  const socket = connect({ host: '127.0.0.1', port: Number(address.split(':')[1]) });
  socket.pause();
  await once(socket, 'connect');
  socket.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
  const hash = createHash('sha256');
  let head = Buffer.alloc(0);
  let size = 0;
  const take = (part: Buffer): number => {
    const body = size > 0 ? part : bodyOf(part);
    size += body.length;
    hash.update(body);
    return part.length;
  };
  const bodyOf = (part: Buffer): Buffer => {
    head = Buffer.concat([head, part]);
    const end = head.indexOf('\r\n\r\n');
    return end < 0 ? Buffer.alloc(0) : head.subarray(end + 4);
  };
  const start = performance.now();
  let taken = 0;
  while (performance.now() - start < slowSeconds * 1000) {
    const allowed = ((performance.now() - start) / 1000) * mebibyte;
    while (taken < allowed) {
      const part = socket.read() as Buffer | null;
      if (part === null) break;
      taken += take(part);
    }
    await new Promise((resolve) => setTimeout(resolve, readEveryMs));
  }
  for await (const part of socket as AsyncIterable<Buffer>) take(part);
  return { size, hash: hash.digest('hex') };
}
