import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from 'node:net';
/** What helpers need of a test: ava's context, or a scope of an interop check or a soak loop. */
export interface Teardown {
  teardown(run: () => unknown): void;
}

const deadlineMs = 30_000;

/** Fails loudly where a test would hang. The limit is far beyond what any of them needs: machines can be loaded. */
export async function within<T>(promise: Promise<T>, what: string, limitMs = deadlineMs): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what}: nothing within ${limitMs} ms`)), limitMs);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Looks again and again, a loop turn apart, until `look` gives something. */
export function eventually<T>(
  look: () => T | undefined | false | Promise<T | undefined | false>,
  what: string,
): Promise<T> {
  let isOver = false;
  const looking = (async () => {
    while (!isOver) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error(what);
  })();
  return within(looking, what).finally(() => {
    isOver = true;
  });
}

export interface Upstream {
  readonly address: string;
  readonly port: number;
  readonly server: Server;
  readonly sockets: Set<Socket>;
}

/** A node:http server on a free loopback port, closed with the test. */
export async function upstream(t: Teardown, listener: RequestListener): Promise<Upstream> {
  const server = createServer(listener);
  server.keepAliveTimeout = 0;
  const sockets = await listening(t, server);
  const { port } = server.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, port, server, sockets };
}

export interface TcpUpstream {
  readonly address: string;
  readonly server: TcpServer;
  readonly sockets: Set<Socket>;
}

/** A server that speaks for itself, on a free loopback port, closed with the test. */
export async function tcpUpstream(t: Teardown, onSocket: (socket: Socket) => void): Promise<TcpUpstream> {
  const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    onSocket(socket);
  });
  const sockets = await listening(t, server);
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, server, sockets };
}

async function listening(t: Teardown, server: TcpServer): Promise<Set<Socket>> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return sockets;
}

/** An address that nobody listens on. */
export async function deadAddress(): Promise<string> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `127.0.0.1:${port}`;
}

/** Answers with what it was asked: method, path, headers, body length and body text. */
export const echo: RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    response.setHeader('content-type', 'application/json');
    const { method, url, headers } = request;
    response.end(JSON.stringify({ method, url, headers, body: body.toString('latin1') }));
  });
};

/** What `echo` answers. */
export interface Echoed {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}
