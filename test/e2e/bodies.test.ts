import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import test from 'ava';
import { upstream, within } from '../mesh/support.ts';
import { slowReader } from './slow-reader.ts';
import { gateway, proxyProcess, rssBytes } from './support.ts';

const chunk = Buffer.alloc(64 * 1024, 'heddle ');
const mebibyte = 1024 * 1024;
const bodyBytes = 64 * mebibyte;

test('64 MiB both ways arrive whole while memory stays flat', async (t) => {
  const { address: host } = await upstream(t, (incoming, response) => {
    const hash = createHash('sha256');
    response.writeHead(200, { trailer: 'x-hash' });
    incoming.on('data', (part: Buffer) => hash.update(part));
    incoming.on('end', () => response.addTrailers({ 'x-hash': hash.digest('hex') }));
    incoming.pipe(response);
  });
  const child = await proxyProcess(t, gateway(host));
  const transfer = async (sizeBytes: number): Promise<void> => {
    const [hostname, port] = child.address.split(':');
    const call = httpRequest({ hostname, port, method: 'POST', path: '/' });
    const sent = createHash('sha256');
    const upload = async (): Promise<void> => {
      for (let at = 0; at < sizeBytes; at += chunk.length) {
        sent.update(chunk);
        if (!call.write(chunk)) await once(call, 'drain');
      }
      call.end();
    };
    const uploading = upload();
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    const received = createHash('sha256');
    let size = 0;
    for await (const part of response as AsyncIterable<Buffer>) {
      received.update(part);
      size += part.length;
    }
    await uploading;
    const wanted = sent.digest('hex');
    t.is(size, sizeBytes);
    t.is(received.digest('hex'), wanted);
    t.is(response.trailers['x-hash'], wanted);
  };
  // The first transfer warms code and slabs; the second one must not need more.
  await within(transfer(bodyBytes), 'the first 64 MiB', 55_000);
  const before = await rssBytes(child.pid);
  await within(transfer(bodyBytes), 'the second 64 MiB', 55_000);
  const grown = (await rssBytes(child.pid)) - before;
  t.log(`RSS grew by ${(grown / mebibyte).toFixed(1)} MiB`);
  if (!Number.isNaN(grown)) t.true(grown < 24 * mebibyte, `${grown} bytes`);
});

test('a slow reader of a large body does not make the proxy hold it', async (t) => {
  const result = await slowReader(t, { bodyBytes: 96 * mebibyte, slowSeconds: 3 });
  t.log(`RSS grew by ${(result.grownBytes / mebibyte).toFixed(1)} MiB over idle`);
  t.is(result.receivedBytes, 96 * mebibyte);
  t.true(result.isSame, 'the bytes are the ones that were sent');
  if (!Number.isNaN(result.grownBytes))
    t.true(result.grownBytes < 16 * mebibyte, `${result.grownBytes} bytes`);
});
