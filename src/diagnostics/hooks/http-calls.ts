import { maxFollowed } from './call-follower.ts';
import { type CallKind, type FollowedCall, httpClient, httpServer, type Traced } from './call-kinds.ts';
import { sharedNow } from './heartbeat.ts';

interface HttpSocket {
  readonly _httpMessage?: Traced | null;
}
interface HttpParser {
  readonly socket?: HttpSocket | null;
}
/** Node's list of the connections of a server, the same on Node 22 to 26. */
interface ConnectionsList {
  all?(): readonly HttpParser[];
}
interface Agent {
  readonly requests?: Readonly<Record<string, readonly Traced[]>>;
}

const connectionsName = 'http.server.connections';

/** The calls of `node:http` and `node:https` that wait in one direction. */
export interface WaitingCalls {
  readonly kind: CallKind;
  /** In the order in which they were found: the first is the oldest. */
  readonly calls: Map<Traced, FollowedCall>;
}

/**
 * The calls of `node:http` and `node:https` that wait, found at their sockets once a second (0.2 us a handle): the
 * message that a socket is busy with hangs on it. The age of a call counts from when it was first found, so it is up
 * to a second too young. Following each request by its diagnostics channels would cost 0.6 us of each, which is 3 %
 * of a service that answers 55,000 a second.
 */
export class HttpCalls {
  readonly server: WaitingCalls = { kind: httpServer, calls: new Map() };
  readonly client: WaitingCalls = { kind: httpClient, calls: new Map() };

  look(): void {
    const found = new Set<Traced>();
    const agents = new Set<Agent>();
    for (const handle of activeHandles()) {
      for (const parser of connectionsOf(handle)) this.#see(parser.socket, found, agents);
      this.#see(handle as HttpSocket, found, agents);
    }
    // Requests that wait for a socket are on none.
    for (const { requests } of agents)
      for (const request of Object.values(requests ?? {}).flat())
        follow(this.client, request, request, found);
    for (const { calls } of [this.server, this.client])
      for (const key of calls.keys()) if (!found.has(key)) calls.delete(key);
  }

  stop(): void {
    this.server.calls.clear();
    this.client.calls.clear();
  }

  #see(socket: HttpSocket | null | undefined, found: Set<Traced>, agents: Set<Agent>): void {
    const message = socket?._httpMessage;
    if (message === undefined || message === null) return;
    if (message.req !== undefined) {
      follow(this.server, message, message.req, found);
    } else if (typeof message.path === 'string') {
      follow(this.client, message, message, found);
      if (typeof message.agent === 'object' && message.agent !== null) agents.add(message.agent as Agent);
    }
  }
}

function follow({ kind, calls }: WaitingCalls, key: Traced, request: Traced, found: Set<Traced>): void {
  if (kind.isOver(key)) return;
  found.add(key);
  if (calls.size < maxFollowed && !calls.has(key)) calls.set(key, { startMs: sharedNow(), request });
}

function activeHandles(): readonly object[] {
  const { _getActiveHandles: list } = process as unknown as { _getActiveHandles?(): unknown[] };
  const handles = list?.call(process) ?? [];
  return handles.filter((handle) => typeof handle === 'object' && handle !== null) as object[];
}

/** The sockets of a TLS server are no handles of their own; its list of connections has them. */
function connectionsOf(handle: object): readonly HttpParser[] {
  if (!('requestTimeout' in handle)) return [];
  const key = Object.getOwnPropertySymbols(handle).find(({ description }) => description === connectionsName);
  const list = key === undefined ? undefined : (handle as Record<symbol, ConnectionsList | undefined>)[key];
  return list?.all?.() ?? [];
}
