/** Unary calls of gRPC: h2load makes them, nghttpd answers each with a message and trailers. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Traffic } from './contest.ts';
import { requireTool, runH2load } from './h2-load.ts';
import type { LoadPlace } from './load.ts';
import { freePorts, waitForPort } from './ports.ts';

export interface GrpcPlan {
  readonly connections: number;
  /** Calls of each connection at once. */
  readonly streams: number;
  /** Of one message, there and back. */
  readonly messageBytes: number;
}

/** Before each message: compressed or not, and its length. */
const prefixBytes = 5;
/** nghttpd gives a file of this ending the content type of gRPC. */
const path = '/bench.Echo/Call.grpc';
const headers = [
  'content-type: application/grpc',
  'te: trailers',
  'grpc-timeout: 10S',
  'user-agent: grpc-bench/1.0',
];

/** @throws Unavailable without h2load or nghttpd */
export function grpcTraffic(plan: GrpcPlan): Traffic {
  requireTool('h2load', 'apt-get install nghttp2-client');
  requireTool('nghttpd', 'apt-get install nghttp2-server');
  return {
    startBackend: (place) => startBackend(place, plan.messageBytes),
    run: (place, port, seconds) =>
      runH2load(
        place,
        {
          ...plan,
          path,
          headers,
          bodyFile: join(place.directory, 'message.bin'),
          answerBytes: prefixBytes + plan.messageBytes,
        },
        port,
        seconds,
      ),
  };
}

async function startBackend(place: LoadPlace, messageBytes: number) {
  const [port = 0] = await freePorts(1);
  const message = Buffer.alloc(prefixBytes + messageBytes);
  message.writeUInt32BE(messageBytes, 1);
  const root = join(place.directory, 'root');
  mkdirSync(join(root, 'bench.Echo'), { recursive: true });
  writeFileSync(join(place.directory, 'message.bin'), message);
  writeFileSync(join(root, path), message);
  const types = join(place.directory, 'mime.types');
  writeFileSync(types, 'application/grpc grpc\n');
  const log = join(place.directory, 'backend.log');
  const child = place.children.start({
    command: 'nghttpd',
    args: [
      '--no-tls',
      '--address=127.0.0.1',
      `--htdocs=${root}`,
      `--mime-types-file=${types}`,
      '--no-content-length',
      '--trailer=grpc-status: 0',
      // All calls of all connections: MOSN sends them on one, and does not stop at the limit.
      '--max-concurrent-streams=4000',
      String(port),
    ],
    core: place.core,
    log,
  });
  const isUp = await waitForPort(port, () => child.exitCode !== null);
  if (!isUp || child.pid === undefined) throw new Error(`the backend did not start; see ${log}`);
  return { port, pid: child.pid, stop: () => place.children.stop(child) };
}
