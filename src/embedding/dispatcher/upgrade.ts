import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { HeddleError } from '../../core/base/errors.ts';
import type { MeshPort } from '../port.ts';
import type { DispatchCall } from './call.ts';
import { type DispatchHandler, fieldObject, takesController } from './handler.ts';
import { callOptionsOf, type DispatchOptions } from './options.ts';

/** CONNECT or an upgrade: the tunnel runs over an HTTP/1.1 connection into the mesh, and the caller gets its end of it. */
export function dispatchUpgrade(
  port: MeshPort,
  call: DispatchCall,
  handler: DispatchHandler,
  options: DispatchOptions,
  authority: string,
): void {
  const { method, upgrade } = options;
  const { headers } = callOptionsOf({ ...options, body: null }, authority, undefined);
  const { request } = process.getBuiltinModule('node:http');
  const outgoing = request({
    host: authority,
    path: options.path,
    method,
    setHost: false,
    createConnection: () => port.openHttp(),
    headers: {
      ...headers,
      host: authority,
      ...(typeof upgrade === 'string' ? { connection: 'upgrade', upgrade } : {}),
    },
  });
  call.onAbort = (reason) => {
    call.fail(reason);
    outgoing.destroy();
  };
  if (takesController(handler)) handler.onRequestStart(call, null);
  else handler.onConnect?.((reason) => call.abort(reason), null);
  settle(outgoing, call, handler);
  outgoing.end();
}

function settle(outgoing: ClientRequest, call: DispatchCall, handler: DispatchHandler): void {
  const opened = (response: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (head.length > 0) socket.unshift(head);
    const fields = { forEach: (visit: (name: string, value: string) => void) => eachField(response, visit) };
    const status = response.statusCode ?? 0;
    call.succeed();
    if (takesController(handler)) handler.onRequestUpgrade?.(call, status, fieldObject(fields), socket);
    else
      handler.onUpgrade?.(
        status,
        response.rawHeaders.map((text) => Buffer.from(text, 'latin1')),
        socket,
      );
  };
  outgoing.on('upgrade', opened);
  outgoing.on('connect', opened);
  outgoing.on('error', (error) => call.fail(error));
  outgoing.on('response', (response) => {
    response.resume();
    const context = { status: response.statusCode };
    call.fail(new HeddleError('ERR_UPSTREAM_PROTOCOL', `no upgrade, ${response.statusCode}`, { context }));
    outgoing.destroy();
  });
}

function eachField(response: IncomingMessage, visit: (name: string, value: string) => void): void {
  const raw = response.rawHeaders;
  for (let i = 0; i + 1 < raw.length; i += 2) visit(raw[i] as string, raw[i + 1] as string);
}
