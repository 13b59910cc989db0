import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { sharedNow } from './heartbeat.ts';

/** Calls followed at once; a stranger can open more, those are counted only. */
const maxFollowed = 100_000;

export interface InFlightGroup {
  readonly direction: 'server' | 'client';
  /** `GET /orders/:n` or `GET api.example:8080 /orders/:n`; names come from strangers and are bounded. */
  readonly target: string;
  readonly count: number;
  readonly oldestMs: number;
  readonly medianMs: number;
}

/** How a sort of call is named and when it is over; one object a sort, none a call. */
interface CallKind {
  target(request: Traced): string;
  /** @param key what the call is followed by: the response of a server, the request of a client. */
  isOver(key: Traced): boolean;
}

interface Followed {
  readonly startMs: number;
  readonly request: Traced;
  readonly kind: CallKind;
}

/** Follows calls from their start to the response head (server) or to the end of the answer (client). */
export class InFlight {
  readonly #followed = { server: new Map<Traced, Followed>(), client: new Map<Traced, Followed>() };
  readonly #subscriptions: [string, (message: unknown) => void][] = [];
  #finished = { server: 0, client: 0 };

  constructor() {
    const listen = (channel: string, receive: (message: Message) => void): void => {
      const listener = (message: unknown): void => receive(message as Message);
      subscribe(channel, listener);
      this.#subscriptions.push([channel, listener]);
    };
    listen('http.server.request.start', ({ request, response }) => {
      if (response && request) this.#start('server', response, request, httpServer);
    });
    listen('http.server.response.finish', ({ response }) => response && this.#end('server', response));
    listen('http.client.request.start', ({ request }) => {
      if (request) this.#start('client', request, request, httpClient);
    });
    listen('http.client.response.finish', ({ request }) => request && this.#end('client', request));
    listen('http.client.request.error', ({ request }) => request && this.#end('client', request));
    listen('undici:request:create', ({ request }) => {
      if (request) this.#start('client', request, request, undiciClient);
    });
    listen('undici:request:trailers', ({ request }) => request && this.#end('client', request));
    listen('undici:request:error', ({ request }) => request && this.#end('client', request));
    listen('http2.server.stream.start', ({ stream, headers }) => {
      if (stream) this.#start('server', stream, { headers: headers ?? {} }, http2Server);
    });
    listen('http2.server.stream.close', ({ stream }) => stream && this.#end('server', stream));
  }

  finished(direction: 'server' | 'client'): number {
    return this.#finished[direction];
  }

  /** Drops what ended unseen (aborted, answered and streaming on), then tells count and start of the oldest. */
  scan(direction: 'server' | 'client'): { count: number; oldestStartMs: number } {
    const followed = this.#followed[direction];
    let oldestStartMs = 0;
    for (const [key, call] of followed) {
      if (call.kind.isOver(key)) {
        followed.delete(key);
        this.#finished[direction]++;
      } else if (oldestStartMs === 0) {
        // A Map keeps the order of insertion: the first that still waits is the oldest. The rest waits for its turn.
        oldestStartMs = call.startMs;
      }
    }
    return { count: followed.size, oldestStartMs };
  }

  /** The calls in flight by direction and target, most first; at most 50 groups, the rest as `(other)`. */
  groups(): InFlightGroup[] {
    const now = sharedNow();
    const ages = new Map<string, { direction: 'server' | 'client'; target: string; ages: number[] }>();
    for (const direction of ['server', 'client'] as const) {
      this.scan(direction);
      for (const call of this.#followed[direction].values()) {
        const named = call.kind.target(call.request);
        const target = ages.size < 50 || ages.has(`${direction} ${named}`) ? named : '(other)';
        const key = `${direction} ${target}`;
        const group = ages.get(key) ?? { direction, target, ages: [] };
        group.ages.push(now - call.startMs);
        ages.set(key, group);
      }
    }
    return [...ages.values()]
      .map(({ direction, target, ages: list }) => {
        const sorted = list.sort((a, b) => b - a);
        const medianMs = sorted[sorted.length >> 1] ?? 0;
        return { direction, target, count: sorted.length, oldestMs: sorted[0] ?? 0, medianMs };
      })
      .sort((a, b) => b.count - a.count);
  }

  stop(): void {
    for (const [channel, listener] of this.#subscriptions) unsubscribe(channel, listener);
    this.#followed.server.clear();
    this.#followed.client.clear();
  }

  /** On the application's hot path: one object, one entry of a map, one look at the clock. */
  #start(direction: 'server' | 'client', key: Traced, request: Traced, kind: CallKind): void {
    const followed = this.#followed[direction];
    if (followed.size < maxFollowed) followed.set(key, { startMs: sharedNow(), request, kind });
  }

  #end(direction: 'server' | 'client', key: Traced): void {
    if (this.#followed[direction].delete(key)) this.#finished[direction]++;
  }
}

/** The union of what Node's channels publish; all optional because it is not ours. */
interface Message {
  readonly request?: Traced;
  readonly response?: Traced;
  readonly stream?: Traced;
  readonly headers?: Record<string, string>;
}
interface Traced {
  readonly method?: string;
  readonly url?: string;
  readonly path?: string;
  readonly host?: string;
  readonly origin?: unknown;
  readonly destroyed?: boolean;
  readonly closed?: boolean;
  readonly headersSent?: boolean;
  readonly completed?: boolean;
  readonly aborted?: boolean;
  readonly headers?: Readonly<Record<string, unknown>>;
}

function isAnswered(response: Traced): boolean {
  return response.headersSent === true || response.destroyed === true || response.closed === true;
}

function isDone(request: Traced): boolean {
  return request.completed === true || request.aborted === true;
}

/** Digits and ids become `:n`, the query goes: it may hold secrets. */
export function pathShape(path: string): string {
  const end = path.indexOf('?');
  const bare = (end < 0 ? path : path.slice(0, end)).slice(0, 120);
  return bare.replace(/\/(?=[^/]*\d)[^/]+/g, '/:n');
}

const httpServer: CallKind = {
  target: (request) => `${request.method ?? '?'} ${pathShape(request.url ?? '/')}`,
  isOver: isAnswered,
};
const httpClient: CallKind = {
  target: (request) => `${request.method ?? '?'} ${request.host ?? '?'} ${pathShape(request.path ?? '/')}`,
  isOver: (request) => request.destroyed === true,
};
const undiciClient: CallKind = {
  target: (request) =>
    `${request.method ?? '?'} ${String(request.origin ?? '?')} ${pathShape(request.path ?? '/')}`,
  isOver: isDone,
};
const http2Server: CallKind = {
  target: ({ headers }) => `${headers?.[':method'] ?? '?'} ${pathShape(String(headers?.[':path'] ?? '/'))}`,
  isOver: isAnswered,
};
