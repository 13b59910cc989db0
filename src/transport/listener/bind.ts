import { chmodSync, linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { connect, type ListenOptions, type Server } from 'node:net';
import { HeddleError, messageOf } from '../../core/base/errors.ts';
import { formatAddress, plainAddress, type SocketAddress } from '../wire/address.ts';

const staleProbeMs = 1000;

/**
 * Binds `server`; unix sockets left behind by a process that died are removed, live ones are not.
 * @param mode permissions of a unix socket
 * @param inherited a listening server of another process: its socket is used, nothing is bound
 * @returns the address in use, with the port that the system chose for 0
 * @throws HeddleError ERR_LISTENER_ADDRESS
 */
export async function bind(
  server: Server,
  address: SocketAddress,
  backlog: number,
  mode: number,
  inherited: Server | null,
): Promise<string> {
  if (inherited !== null) {
    // A pipe handle cannot be listened on twice: the caller then uses the inherited server itself.
    if (server !== inherited) await listen(server, inherited, formatPlace(address));
    return address.kind === 'unix' ? `unix:${address.path}` : boundAddress(server);
  }
  if (address.kind === 'unix') await removeStale(address.path);
  const place: ListenOptions =
    address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };
  await listen(server, { ...place, backlog }, formatPlace(address));
  if (address.kind === 'tcp') return boundAddress(server);
  chmodSync(address.path, mode);
  return `unix:${address.path}`;
}

/**
 * Closing a unix server removes its path, also when another process serves the socket by now: a second link brings it
 * back within the same turn.
 */
export function keepingPath(path: string, close: () => void): void {
  const second = `${path}.${process.pid}`;
  linkSync(path, second);
  close();
  renameSync(second, path);
}

function listen(server: Server, place: ListenOptions | Server, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => {
      reject(new HeddleError('ERR_LISTENER_ADDRESS', `${text} (${messageOf(cause)})`, { cause }));
    };
    server.once('error', fail);
    server.listen(place, () => {
      server.off('error', fail);
      resolve();
    });
  });
}

function formatPlace(address: SocketAddress): string {
  return address.kind === 'unix' ? `unix:${address.path}` : formatAddress(address.host, address.port);
}

function boundAddress(server: Server): string {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') return String(bound);
  return formatAddress(plainAddress(bound.address), bound.port);
}

async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new HeddleError('ERR_LISTENER_ADDRESS', `unix:${path} exists and is not a socket`);
  }
  if (await answers(path))
    throw new HeddleError('ERR_LISTENER_ADDRESS', `unix:${path} is served by a process`);
  unlinkSync(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    const finish = (isAlive: boolean): void => {
      probe.destroy();
      resolve(isAlive);
    };
    probe.setTimeout(staleProbeMs, () => finish(true));
    probe.once('connect', () => finish(true));
    probe.once('error', (error: NodeJS.ErrnoException) => finish(error.code !== 'ECONNREFUSED'));
  });
}
