/** The union of what Node's channels publish; all optional because it is not ours. */
export interface CallMessage {
  readonly request?: Traced;
  readonly stream?: Traced;
  readonly headers?: Record<string, string>;
}

/** A request, response or stream of Node's or undici's. */
export interface Traced {
  readonly method?: string;
  readonly url?: string;
  readonly path?: string;
  readonly host?: string;
  getHeader?(name: string): unknown;
  readonly origin?: unknown;
  readonly destroyed?: boolean;
  readonly closed?: boolean;
  readonly headersSent?: boolean;
  readonly completed?: boolean;
  readonly aborted?: boolean;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly req?: Traced;
  readonly agent?: unknown;
  readonly res?: { readonly complete?: boolean } | null;
}

export interface FollowedCall {
  readonly startMs: number;
  /** What it is named by. */
  readonly request: Traced;
}

/** How a sort of call is named and known to be over. */
export interface CallKind {
  readonly direction: 'server' | 'client';
  target(request: Traced): string;
  /** @param key what it is followed by: the response of a server, the request of a client. */
  isOver(key: Traced): boolean;
}

/** One whose start a diagnostics channel tells. */
export interface ChannelCallKind extends CallKind {
  readonly channel: string;
  key(message: CallMessage): Traced | undefined;
  /** What it is named by. */
  request(message: CallMessage): Traced | undefined;
}

/** Digits and ids become `:n`, the query goes: it may hold secrets. */
export function pathShape(path: string): string {
  const end = path.indexOf('?');
  const bare = (end < 0 ? path : path.slice(0, end)).slice(0, 120);
  return bare.replace(/\/(?=[^/]*\d)[^/]+/g, '/:n');
}

const isAnswered = (response: Traced): boolean =>
  response.headersSent === true || response.destroyed === true || response.closed === true;

export const httpServer: CallKind = {
  direction: 'server',
  target: (request) => `${request.method ?? '?'} ${pathShape(request.url ?? '/')}`,
  isOver: isAnswered,
};

/** With its port, which `host` leaves out: two upstreams on one machine are two. */
function hostOf(request: Traced): string {
  const header = request.getHeader?.('host');
  return typeof header === 'string' ? header.slice(0, 120) : (request.host ?? '?');
}

export const httpClient: CallKind = {
  direction: 'client',
  target: (request) => `${request.method ?? '?'} ${hostOf(request)} ${pathShape(request.path ?? '/')}`,
  isOver: (request) => request.destroyed === true || request.res?.complete === true,
};

export const undiciClient: ChannelCallKind = {
  direction: 'client',
  channel: 'undici:request:create',
  key: ({ request }) => request,
  request: ({ request }) => request,
  target: (request) =>
    `${request.method ?? '?'} ${String(request.origin ?? '?')} ${pathShape(request.path ?? '/')}`,
  isOver: (request) => request.completed === true || request.aborted === true,
};

export const http2Server: ChannelCallKind = {
  direction: 'server',
  channel: 'http2.server.stream.start',
  key: ({ stream }) => stream,
  request: ({ headers }) => ({ headers: headers ?? {} }),
  target: ({ headers }) => `${headers?.[':method'] ?? '?'} ${pathShape(String(headers?.[':path'] ?? '/'))}`,
  isOver: isAnswered,
};
