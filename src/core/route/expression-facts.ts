import { rpcMethodOf, rpcServiceOf } from '../base/grpc-head.ts';
import type { Stream } from '../contract/stream.ts';
import { pathWithoutQuery, splitQuery } from './path-text.ts';
import { decodeQueryText } from './query-parameter.ts';
import { variableReader } from './variables.ts';

/** CEL types of the fields of `request`. */
export const requestFields = {
  method: 'string',
  path: 'string',
  host: 'string',
  protocol: 'string',
  service: 'string',
  rpcMethod: 'string',
  id: 'string',
  headers: 'map<string, string>',
  query: 'map<string, string>',
  cookies: 'map<string, string>',
} as const;

/** `request` of an expression: each field is made when it is first read. One object an expression, bound to a stream at a time. */
export class RequestFacts {
  #stream: Stream | null = null;
  #headers: Map<string, string> | null = null;
  #query: Map<string, string> | null = null;
  #cookies: Map<string, string> | null = null;

  bind(s: Stream): void {
    this.#stream = s;
  }

  release(): void {
    this.#stream = null;
    this.#headers = this.#query = this.#cookies = null;
  }

  get #s(): Stream {
    return this.#stream as Stream;
  }

  get method(): string {
    return this.#s.req.method;
  }

  get path(): string {
    return pathWithoutQuery(this.#s.req);
  }

  get host(): string {
    return this.#s.req.authority;
  }

  get protocol(): string {
    return this.#s.protocol;
  }

  get service(): string {
    return rpcServiceOf(this.#s.req);
  }

  get rpcMethod(): string {
    return rpcMethodOf(this.#s.req);
  }

  get id(): string {
    return this.#s.requestId;
  }

  /** Names in lower case; repeated ones joined by ",". */
  get headers(): Map<string, string> {
    this.#headers ??= this.#readHeaders();
    return this.#headers;
  }

  #readHeaders(): Map<string, string> {
    const { req } = this.#s;
    const all = new Map<string, string>();
    req.forEach((name, value) => {
      const key = req.exactNames ? name : name.toLowerCase();
      const before = all.get(key);
      all.set(key, before === undefined ? value : `${before},${value}`);
    });
    return all;
  }

  /** First values, decoded. */
  get query(): Map<string, string> {
    this.#query ??= this.#readQuery();
    return this.#query;
  }

  #readQuery(): Map<string, string> {
    const all = new Map<string, string>();
    for (const part of splitQuery(this.#s.req.path)[1].slice(1).split('&')) {
      const equals = part.indexOf('=');
      const name = decodeQueryText(equals < 0 ? part : part.slice(0, equals));
      if (part !== '' && !all.has(name)) {
        all.set(name, equals < 0 ? '' : decodeQueryText(part.slice(equals + 1)));
      }
    }
    return all;
  }

  /** First values, without quotes. */
  get cookies(): Map<string, string> {
    this.#cookies ??= this.#readCookies();
    return this.#cookies;
  }

  #readCookies(): Map<string, string> {
    const all = new Map<string, string>();
    for (const field of this.#s.req.getAll('cookie')) {
      for (const part of field.split(';')) {
        const equals = part.indexOf('=');
        const name = part.slice(0, equals).trim();
        const value = part.slice(equals + 1).trim();
        if (equals > 0 && !all.has(name)) all.set(name, value.replace(/^"(.*)"$/, '$1'));
      }
    }
    return all;
  }
}

const textOf = (name: Parameters<typeof variableReader>[0], s: Stream): string =>
  variableReader(name)(s) ?? '';
const numberOf = (name: Parameters<typeof variableReader>[0], s: Stream): bigint => BigInt(textOf(name, s));

/** `source`: the other end of the connection. */
class SourceFacts {
  stream: Stream | null = null;

  get address(): string {
    return textOf('sourceAddress', this.stream as Stream);
  }

  get port(): bigint {
    return numberOf('sourcePort', this.stream as Stream);
  }

  get clientAddress(): string {
    return textOf('clientAddress', this.stream as Stream);
  }

  get spiffeId(): string {
    return textOf('spiffeId', this.stream as Stream);
  }
}

/** `listener`: our end of it. */
class ListenerFacts {
  stream: Stream | null = null;

  get name(): string {
    return textOf('listener', this.stream as Stream);
  }

  get port(): bigint {
    return numberOf('listenerPort', this.stream as Stream);
  }

  get serverName(): string {
    return textOf('serverName', this.stream as Stream);
  }
}

export const callFields = {
  source: {
    ctor: SourceFacts,
    fields: { address: 'string', port: 'int', clientAddress: 'string', spiffeId: 'string' },
  },
  listener: { ctor: ListenerFacts, fields: { name: 'string', port: 'int', serverName: 'string' } },
} as const;

/** `source` and `listener`, bound together. */
export class CallFacts {
  readonly source: SourceFacts = new SourceFacts();
  readonly listener: ListenerFacts = new ListenerFacts();

  bind(s: Stream): void {
    this.source.stream = this.listener.stream = s;
  }

  release(): void {
    this.source.stream = this.listener.stream = null;
  }
}
