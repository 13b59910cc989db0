import { once } from 'node:events';
import { type ClientHttp2Session, connect, type ServerHttp2Stream } from 'node:http2';
import { gateway, proxyProcess, rssBytes } from '../../e2e/support.ts';
import { Scope } from '../../interop/kit/check.ts';
import { eventually, within } from '../../mesh/support.ts';
import { h2Upstream } from '../../transport/codecs/http2/node-peers.ts';

const connections = 100;
const streamsEach = 100;
const rounds = 20;
/** V8 lets its heap grow for the first rounds: nobody presses it. */
const settledRound = 10;
const mebibyte = 1024 * 1024;
/** What the rounds after that may add. */
const allowedBytes = 16 * mebibyte;
const limitMs = 180_000;

/**
 * 10,000 streams at once over 100 connections: an upstream that answers nobody before all are there, then each with what
 * it was asked. Round after round, in the same memory.
 */
export async function run(): Promise<void> {
  await using scope = new Scope();
  const all = connections * streamsEach;
  let held: { readonly stream: ServerHttp2Stream; readonly path: string }[] = [];
  let most = 0;
  const { address } = await h2Upstream(scope, (stream, headers) => {
    held.push({ stream, path: String(headers[':path']) });
    most = Math.max(most, held.length);
    if (held.length < all) return;
    const waiting = held;
    held = [];
    for (const each of waiting) {
      each.stream.respond({ ':status': 200 });
      each.stream.end(each.path);
    }
  });
  const clusters = [
    {
      name: 'up',
      endpoints: [address],
      codec: 'http2',
      circuitBreakers: { maxConnections: 0, maxPending: 0, maxRequests: 0 },
    },
  ];
  const proxy = await proxyProcess(scope, { ...gateway(address, { codec: 'http2' }), clusters });
  const sessions = await within(openAll(scope, proxy.address), `${connections} connections`, limitMs);
  const grownBytes: number[] = [];
  const idleBytes = await rssBytes(proxy.pid);
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now();
    await within(askAll(sessions, round), `round ${round}: ${most} of ${all} came upstream at once`, limitMs);
    grownBytes.push((await rssBytes(proxy.pid)) - idleBytes);
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    const grown = ((grownBytes[round] as number) / mebibyte).toFixed(1);
    console.log(
      `h2-streams: round ${round}, ${all} streams at once in ${seconds} s, RSS ${grown} MiB above idle`,
    );
  }
  if (most !== all) throw new Error(`only ${most} streams were upstream at once`);
  const before = grownBytes[settledRound] as number;
  const after = Math.max(...grownBytes.slice(settledRound));
  if (after - before > allowedBytes) {
    throw new Error(`RSS grew by ${(after - before) / mebibyte} MiB after round ${settledRound}`);
  }
  for (const session of sessions) session.close();
  await eventually(() => sessions.every((each) => each.destroyed), 'connections end in order');
}

async function openAll(scope: Scope, address: string): Promise<ClientHttp2Session[]> {
  const sessions = Array.from({ length: connections }, () => connect(`http://${address}`));
  scope.teardown(() => {
    for (const session of sessions) session.destroy();
  });
  await Promise.all(sessions.map((each) => once(each, 'remoteSettings')));
  return sessions;
}

async function askAll(sessions: readonly ClientHttp2Session[], round: number): Promise<void> {
  await Promise.all(
    sessions.flatMap((session, i) =>
      Array.from({ length: streamsEach }, (_, j) => ask(session, `/${round}/${i}/${j}`)),
    ),
  );
}

async function ask(session: ClientHttp2Session, path: string): Promise<void> {
  const stream = session.request({ ':path': path });
  let body = '';
  stream.setEncoding('utf8');
  for await (const part of stream as AsyncIterable<string>) body += part;
  if (body !== path) throw new Error(`${path} was answered by ${JSON.stringify(body)}`);
}
