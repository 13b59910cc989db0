import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { gateway, proxyProcess, rssBytes } from '../../e2e/support.ts';
import { Scope } from '../../interop/kit/check.ts';
import { within } from '../../mesh/support.ts';
import { h2Upstream } from '../../transport/codecs/http2/node-peers.ts';

const mebibyte = 1024 * 1024;
const bodyBytes = 1024 * mebibyte;
const slowSeconds = 20;
const allowedBytes = 16 * mebibyte;
const chunk = Buffer.alloc(64 * 1024, 'slow reader ');

/** As slow-reader, over HTTP/2 on both sides: the windows of three hops hold the upstream. */
export async function run(): Promise<void> {
  await using scope = new Scope();
  const { address } = await h2Upstream(scope, (stream, headers) => {
    const wanted = headers[':path'] === '/warm' ? 8 * mebibyte : bodyBytes;
    stream.respond({ ':status': 200, 'content-length': wanted });
    let sent = 0;
    const write = (): void => {
      while (sent < wanted) {
        sent += chunk.length;
        if (!stream.write(chunk)) return void stream.once('drain', write);
      }
      stream.end();
    };
    write();
  });
  const clusters = [{ name: 'up', endpoints: [address], codec: 'http2' }];
  const proxy = await proxyProcess(scope, { ...gateway(address, { codec: 'http2' }), clusters });
  const session = connect(`http://${proxy.address}`);
  scope.teardown(() => session.destroy());
  for (let i = 0; i < 3; i++) {
    const warm = session.request({ ':path': '/warm' });
    warm.resume();
    await within(once(warm, 'end'), 'a warm-up');
  }
  const idleBytes = await rssBytes(proxy.pid);
  let highestBytes = 0;
  const stream = session.request({ ':path': '/' });
  const hash = createHash('sha256');
  const startMs = performance.now();
  let size = 0;
  let lookMs = 0;
  for await (const part of stream as AsyncIterable<Buffer>) {
    size += part.length;
    hash.update(part);
    const nowMs = performance.now();
    if (nowMs - lookMs > 100) {
      lookMs = nowMs;
      highestBytes = Math.max(highestBytes, await rssBytes(proxy.pid));
    }
    // 1 MiB/s at first, then as it comes.
    const aheadMs = (size / mebibyte) * 1000 - (nowMs - startMs);
    if (nowMs - startMs < slowSeconds * 1000 && aheadMs > 0) {
      await new Promise((resolve) => setTimeout(resolve, aheadMs));
    }
  }
  const wanted = createHash('sha256');
  for (let at = 0; at < bodyBytes; at += chunk.length) wanted.update(chunk);
  const grownBytes = highestBytes - idleBytes;
  const grown = `${(grownBytes / mebibyte).toFixed(1)} MiB`;
  console.log(`h2-slow-reader: ${size / mebibyte} MiB received, RSS at most ${grown} above idle`);
  if (size !== bodyBytes || hash.digest('hex') !== wanted.digest('hex'))
    throw new Error('the body is not what was sent');
  if (grownBytes > allowedBytes) throw new Error(`RSS grew by ${grown}`);
}
