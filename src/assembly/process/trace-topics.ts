import { factsOf } from '../../core/base/codes.ts';
import type { ConfigDiff } from '../../core/config/diff.ts';
import type { Stream } from '../../core/contract/stream.ts';
import type { Wire } from '../../core/contract/wire.ts';

/** Makes one line of a channel's message; "" says nothing. */
export type TraceLine = (message: never) => string;

interface StreamMessage {
  readonly stream: Stream;
}

interface WireMessage {
  readonly listener: string;
  readonly wire: Wire;
}

interface PoolMessage {
  readonly address: string;
  readonly codec: string;
  readonly connections: number;
  readonly code: string;
}

/** What `HEDDLE_TRACE` may name: the channels of each topic and what a line of them says. docs/metrics.md lists them. */
export const traceTopics: Readonly<Record<string, Readonly<Record<string, TraceLine>>>> = {
  connection: {
    'heddle:connection:open': ({ listener, wire }: WireMessage) => `${listener} open ${clientOf(wire)}`,
    'heddle:connection:close': ({ listener, wire }: WireMessage) => `${listener} close ${clientOf(wire)}`,
  },
  stream: {
    'heddle:stream:start': ({ stream }: StreamMessage) => `${idOf(stream)} begins: ${askedOf(stream)}`,
    'heddle:stream:end': ({ stream }: StreamMessage) => `${idOf(stream)} ends: ${outcomeOf(stream)}`,
  },
  route: {
    'heddle:stream:try': ({ stream }: StreamMessage) =>
      `${idOf(stream)} ${askedOf(stream)} -> ${wayOf(stream)}`,
    'heddle:stream:end': ({ stream }: StreamMessage) =>
      stream.tries > 0
        ? ''
        : `${idOf(stream)} ${askedOf(stream)} -> ${routeOf(stream)}, no try: ${outcomeOf(stream)}`,
  },
  pool: {
    'heddle:pool:connect': ({ address, codec, connections }: PoolMessage) =>
      `${address} dialled, ${codec}, connection ${connections}`,
    'heddle:pool:close': ({ address, codec, connections, code }: PoolMessage) =>
      `${address} closed, ${codec}, ${connections} left, ${code}`,
    'heddle:pool:wait': ({ address, stream }: StreamMessage & { readonly address: string }) =>
      `${address} has no free connection, ${idOf(stream)} waits`,
  },
  health: {
    'heddle:host:eject': (message: { cluster: string; host: string; reason: string; durationMs: number }) =>
      `${message.cluster} ${message.host} ejected for ${Math.round(message.durationMs)} ms, ${message.reason}`,
  },
  discovery: {
    'heddle:hosts:update': (message: HostsMessage) =>
      `${message.cluster} version ${message.version}${message.full ? ', whole list' : ''}: ${message.added} added, ${message.removed} removed, ${message.changed} changed`,
  },
  config: {
    'heddle:config:reload': ({ diff }: { readonly diff: ConfigDiff }) =>
      `reload ${shown(JSON.stringify(diff))}`,
  },
};

interface HostsMessage {
  readonly cluster: string;
  readonly version: number;
  readonly full: boolean;
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
}

const idOf = ({ serial }: Stream): string => `#${serial}`;

/** Without the query: it may hold what is secret. */
function askedOf({ req, protocol }: Stream): string {
  const path = req.path.replace(/[?#].*$/s, '');
  return shown(`${protocol} ${req.method} ${req.authority}${path}`);
}

const routeOf = ({ route }: Stream): string => (route === null ? 'no route' : `route ${route.name}`);

function wayOf(stream: Stream): string {
  const { cluster, host, tries } = stream;
  const place = `cluster ${cluster?.name ?? '-'}, host ${host?.address ?? '-'}`;
  return `${routeOf(stream)}, ${place}${tries > 1 ? `, try ${tries}` : ''}`;
}

function outcomeOf(stream: Stream): string {
  const { code, res, startMs, endMs, requestBytes, responseBytes } = stream;
  const why = code === 0 ? '' : `, ${factsOf(code).name}`;
  const tookMs = Math.round((endMs - startMs) * 100) / 100;
  return `${res.status}${why}, ${tookMs} ms, ${requestBytes} bytes in, ${responseBytes} out`;
}

function clientOf(wire: Wire): string {
  const { address, port } = wire.peer;
  return address === '' ? 'a unix socket' : `${address} port ${port}`;
}

const maxShown = 300;

/** Names and paths come from strangers: one line stays one line. */
function shown(text: string): string {
  const cut = text.length > maxShown ? `${text.slice(0, maxShown)}...` : text;
  return cut.replace(
    /[\p{Cc}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
