import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { HeddleError } from '../../core/base/errors.ts';
import type { ControlSocket, ManualCapture, MonitorControl } from '../contract.ts';
import type { WorkerMessage } from '../worker/worker-data.ts';
import { type Failure, failureOf } from './failure.ts';
import { LineChannel } from './line-channel.ts';
import { readProcess } from './process-table.ts';
import { controlSocketPath } from './socket-path.ts';

/** What an agent tells of itself when it has connected. */
export interface AgentHello {
  readonly pid: number;
  readonly startTicks: number;
  readonly service: string;
  readonly nodeVersion: string;
}

interface ControlRequest {
  readonly id: number;
  readonly method: string;
  readonly argument?: unknown;
}

export type ControlMessage =
  | { readonly hello: AgentHello }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: Failure }
  | { readonly event: unknown };

const maxClients = 16;
/** A client that does not read loses events beyond this, never answers. */
const maxUnsentBytes = 4 * 1024 * 1024;
const retryMs = { first: 1000, most: 30_000 };

export interface OpenControl {
  close(): Promise<void>;
  /** Removes the socket from the disk, at once: for a process that ends now. */
  unlink(): void;
}

/**
 * Offers a monitor's control to other processes of the same user: on a unix socket of its own (0600, removed at
 * close; `auto` is the place where `heddle profile <pid>` looks), or by dialling a daemon's socket and staying there.
 */
export async function openControl(control: MonitorControl, options: ControlSocket): Promise<OpenControl> {
  const closers: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const closeOne of closers.splice(0)) await closeOne();
  };
  const place = options.listen === 'auto' ? controlSocketPath(process.pid) : options.listen;
  const ended = (): void => {
    void close();
    parentPort?.postMessage({ type: 'stopRequested' } satisfies WorkerMessage);
  };
  if (place !== undefined) closers.push(await listen(control, place, ended));
  if (options.dial !== undefined) closers.push(dial(control, options.dial, ended));
  return {
    close,
    unlink: () => {
      if (place !== undefined) rmSync(place, { force: true });
    },
  };
}

async function listen(
  control: MonitorControl,
  place: string,
  ended: () => void,
): Promise<() => Promise<void>> {
  const sockets = new Set<Socket>();
  let isLeft = false;
  // Whoever put the monitor in may leave it to others that use it; the last of them takes it out.
  const leave = async (): Promise<boolean> => {
    isLeft = sockets.size > 1;
    if (!isLeft) await control.stop();
    return !isLeft;
  };
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      if (isLeft && sockets.size === 0) void control.stop().then(ended, ended);
    });
    serve(control, socket, ended, leave);
  });
  server.maxConnections = maxClients;
  rmSync(place, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(place, resolve);
  });
  chmodSync(place, 0o600);
  server.unref();
  return async () => {
    for (const socket of sockets) socket.destroySoon();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    rmSync(place, { force: true });
  };
}

function dial(control: MonitorControl, path: string, ended: () => void): () => void {
  let isClosed = false;
  let waitMs = retryMs.first;
  let socket: Socket | undefined;
  let timer: NodeJS.Timeout | undefined;
  const again = (): void => {
    if (isClosed) return;
    timer = setTimeout(open, waitMs);
    timer.unref();
    waitMs = Math.min(waitMs * 2, retryMs.most);
  };
  const open = (): void => {
    socket = connect(path);
    socket.once('connect', () => {
      waitMs = retryMs.first;
    });
    serve(control, socket, ended, () => control.stop().then(() => true));
    socket.on('close', again);
  };
  open();
  return () => {
    isClosed = true;
    clearTimeout(timer);
    socket?.destroy();
  };
}

/**
 * Answers requests of one connection until it ends.
 * @param leave stops the monitor unless others use it; says whether it did
 */
function serve(
  control: MonitorControl,
  socket: Socket,
  ended: () => void,
  leave: () => Promise<boolean>,
): void {
  socket.unref();
  const channel = new LineChannel(socket);
  const send = (message: ControlMessage): void => channel.send(message);
  let stopEvents = (): void => {};
  channel.onClose(() => stopEvents());
  channel.onMessage((message) => {
    const { id, method, argument } = message as ControlRequest;
    if (method === 'subscribe') {
      stopEvents();
      stopEvents = control.onEvent((event) => {
        if (socket.writableLength < maxUnsentBytes) send({ event });
      });
    }
    const done = method === 'leave' ? leave() : call(control, method, argument);
    done.then(
      (value) => {
        send({ id, value: value ?? null });
        if (method === 'stop' || (method === 'leave' && value === true)) ended();
      },
      (thrown: unknown) => send({ id, failure: failureOf(thrown) }),
    );
  });
  const { service, nodeVersion } = control.status();
  const startTicks = readProcess(process.pid)?.startTicks ?? 0;
  send({ hello: { pid: process.pid, startTicks, service, nodeVersion } });
}

async function call(control: MonitorControl, method: string, argument: unknown): Promise<unknown> {
  switch (method) {
    case 'status':
      return control.status();
    case 'signals':
      return control.signals();
    case 'captures':
      return control.captures();
    case 'capture':
      return control.capture(argument as ManualCapture);
    case 'setRules':
      return control.setRules(argument);
    case 'pause':
      return control.pause();
    case 'resume':
      return control.resume();
    case 'stop':
      return control.stop();
    case 'subscribe':
      return undefined;
    default:
      throw new HeddleError('ERR_OPTION_INVALID', `the monitor has no method "${method}"`);
  }
}
