import assert from 'node:assert/strict';
import { gateway, proxyProcess } from '../../e2e/support.ts';
import { within } from '../../mesh/support.ts';
import type { Check } from '../kit/check.ts';
import { type ClientCall, echoService, loadGrpcJs, startEchoServer } from '../kit/grpc-js.ts';

/** @grpc/grpc-js as client and as server, the four kinds of calls, an error with trailers, a cancelled stream. */
export const check: Check = {
  what: 'grpc-js client and server through an h2c listener, all four kinds of calls',
  async run(scope) {
    const grpc = loadGrpcJs();
    const up = await startEchoServer(grpc, scope);
    const clusters = [{ name: 'up', endpoints: [up], codec: 'http2' }];
    const proxy = await proxyProcess(scope, { ...gateway(up, { codec: 'http2' }), clusters });
    const Client = grpc.makeGenericClientConstructor(echoService, 'Echo');
    const client = new Client(proxy.address, grpc.credentials.createInsecure());
    scope.teardown(() => client.close());

    const unary = (body: Buffer) =>
      new Promise<Buffer>((resolve, reject) => {
        client['unary']?.(body, (error: Error | null, answer: Buffer) =>
          error === null ? resolve(answer) : reject(error),
        );
      });
    for (let i = 0; i < 200; i++) {
      const body = Buffer.alloc(1 + i * 1000, i);
      assert.ok((await within(unary(body), 'a unary call')).equals(body));
    }
    const all = await within(
      Promise.all(Array.from({ length: 300 }, () => unary(Buffer.from('x')))),
      '300 calls at once',
    );
    assert.equal(all.length, 300);
    await assert.rejects(unary(Buffer.alloc(0)), (error: { code: number; details: string }) => {
      assert.equal(error.code, grpc.status['NOT_FOUND']);
      assert.equal(error.details, 'größer als nichts');
      return true;
    });

    const counted = await within(
      new Promise<string>((resolve, reject) => {
        const call = client['client']?.((error: Error | null, answer: Buffer) =>
          error === null ? resolve(String(answer)) : reject(error),
        );
        for (let i = 0; i < 10; i++) call?.write(Buffer.alloc(20_000));
        call?.end();
      }),
      'a client stream',
    );
    assert.equal(counted, '200000');

    const parts: string[] = [];
    const stream = client['server']?.(Buffer.from('n')) as ClientCall;
    for await (const part of stream) parts.push(String(part));
    assert.deepEqual(parts, ['n0', 'n1', 'n2', 'n3', 'n4']);

    const both = client['both']?.() as ClientCall;
    let echoed = 0;
    const ended = new Promise<void>((resolve, reject) => {
      both.on('data', (part: Buffer) => {
        echoed += part.length;
      });
      both.on('end', resolve);
      both.on('error', reject);
    });
    for (let i = 0; i < 20; i++) both.write(Buffer.alloc(50_000));
    both.end();
    await within(ended, 'a stream both ways');
    assert.equal(echoed, 1_000_000);

    const cancelled = client['both']?.() as ClientCall;
    const error = await within(
      new Promise<{ code: number }>((resolve) => {
        cancelled.on('error', resolve);
        cancelled.write(Buffer.from('a'));
        cancelled.on('data', () => cancelled.cancel());
      }),
      'a cancelled stream',
    );
    assert.equal(error.code, grpc.status['CANCELLED']);
    return '500 unary calls, streams of 200 kB and 1 MB, an error and a cancel';
  },
};
