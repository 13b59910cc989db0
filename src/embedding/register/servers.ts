import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ProtectedServer } from '../ingress/ingress.ts';

/** Node publishes here what begins to listen. */
const channel = 'tracing:net.server.listen:asyncStart';
/** Set on servers that belong to a mesh: its admin endpoint. */
const ownServer = Symbol.for('heddle.own');

/**
 * Calls back for each server of `node:http`, `https` and `http2` that begins to listen from now on, before its port is
 * open. Loads none of these modules. @returns stops it
 */
export function onServerListening(found: (server: ProtectedServer) => void): () => void {
  const listener = (message: unknown): void => {
    const { server } = message as { server?: object };
    if (server !== undefined && isHttp(server) && !(ownServer in server)) found(server as ProtectedServer);
  };
  subscribe(channel, listener);
  return () => void unsubscribe(channel, listener);
}

/** By what only servers of HTTP have: loading the module to ask for its class would cost every program 15 ms. */
function isHttp(server: object): boolean {
  return 'httpAllowHalfOpen' in server || /^Http2(Secure)?Server$/.test(server.constructor.name);
}
