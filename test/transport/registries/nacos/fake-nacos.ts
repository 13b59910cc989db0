import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttp } from 'node:http';
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import { decodePayload, encodePayload } from '../../../../src/transport/registries/nacos/wire/payload.ts';
import { frame } from '../../grpc/support.ts';

export interface FakeInstance {
  readonly ip: string;
  readonly port: number;
  readonly weight?: number;
  readonly healthy?: boolean;
  readonly enabled?: boolean;
  readonly clusterName?: string;
  readonly metadata?: Record<string, string>;
}

interface Connection {
  readonly session: ServerHttp2Session;
  stream: ServerHttp2Stream | null;
  readonly subscribed: Set<string>;
  readonly listening: Map<string, string>;
  /** One entry a service, as the real one keeps them. */
  readonly instances: Map<string, FakeInstance[]>;
}

type Body = Record<string, unknown>;

/**
 * What a Nacos 2 server says over gRPC and at its login, written from the protocol and not from our client: instances live
 * with their connection, requests need one that was set up, pushes must be answered.
 */
export class FakeNacos {
  /** "host:port" of the HTTP port; gRPC is `grpcPort`. */
  address = '';
  grpcPort = 0;
  /** Instances that belong to nobody here, by "group@@service". */
  readonly fixed = new Map<string, FakeInstance[]>();
  readonly configs = new Map<string, string>();
  readonly connections = new Set<Connection>();
  /** Types of all requests, in order. */
  readonly requests: string[] = [];
  readonly acknowledged: string[] = [];
  /** Refuses requests of these types with this code. */
  readonly refusing = new Map<string, number>();
  /** Answers nothing. */
  isDeaf = false;
  /** As servers before 2.4. */
  speaksOfAbilities = true;
  /** Null: no login is needed. */
  users: Map<string, string> | null = null;
  tokens = new Set<string>();
  tokenTtlSeconds = 18_000;
  loginPath = '/nacos/v1/auth/users/login';
  logins = 0;
  /** Grows with every message either way. */
  activity = 0;
  setups: Body[] = [];
  #serial = 0;
  #grpc: Http2Server | null = null;
  #http: Server | null = null;
  readonly #sockets = new Set<Socket>();

  /** @param grpcPort to come back at the same place */
  async start(grpcPort = 0): Promise<this> {
    this.#grpc = createServer();
    this.#grpc.on('session', (session) => this.#accept(session));
    this.#grpc.on('sessionError', () => {});
    await this.#listen(this.#grpc as unknown as Server, grpcPort);
    this.grpcPort = ((this.#grpc as unknown as Server).address() as AddressInfo).port;
    if (this.#http === null) {
      this.#http = createHttp((request, response) => {
        let text = '';
        request.on('data', (chunk) => {
          text += String(chunk);
        });
        request.on('end', () => {
          const { status, body } = this.#login(request.url ?? '', new URLSearchParams(text));
          response.writeHead(status, { 'content-type': 'application/json' }).end(body);
        });
      });
      await this.#listen(this.#http, 0);
      this.address = `127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
    }
    return this;
  }

  /** What a configuration of ours needs to find both ports. */
  get offset(): number {
    return this.grpcPort - Number(this.address.split(':')[1]);
  }

  /** The process dies: what lived with connections is gone. */
  async stop(): Promise<void> {
    const grpc = this.#grpc;
    this.#grpc = null;
    if (grpc === null) return;
    const closed = once(grpc, 'close');
    grpc.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    this.connections.clear();
  }

  async close(): Promise<void> {
    await this.stop();
    const closed = this.#http === null ? null : once(this.#http, 'close');
    this.#http?.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  get isUp(): boolean {
    return this.#grpc !== null;
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  /** Resets every connection; the server goes on. */
  dropConnections(): void {
    for (const { session } of this.connections) session.destroy();
  }

  hosts(key: string): FakeInstance[] {
    const own = [...this.connections].flatMap(({ instances }) => instances.get(key) ?? []);
    return [...(this.fixed.get(key) ?? []), ...own];
  }

  setHosts(key: string, hosts: FakeInstance[]): void {
    this.fixed.set(key, hosts);
    this.changed(key);
  }

  changed(key: string): void {
    for (const connection of this.connections) {
      if (!connection.subscribed.has(key)) continue;
      this.push(connection, 'NotifySubscriberRequest', { serviceInfo: this.#info(key), module: 'naming' });
    }
  }

  setConfig(dataId: string, group: string, text: string): void {
    this.configs.set(`${group}\n${dataId}`, text);
    for (const connection of this.connections) {
      if (connection.listening.get(`${group}\n${dataId}`) === undefined) continue;
      this.push(connection, 'ConfigChangeNotifyRequest', { dataId, group, tenant: '' });
    }
  }

  push(connection: Connection, type: string, body: Body): void {
    this.activity++;
    const full = { ...body, requestId: `push-${++this.#serial}` };
    connection.stream?.write(
      frame(encodePayload({ type, headers: {}, body: Buffer.from(JSON.stringify(full)) })),
    );
  }

  async #listen(server: Server, port: number): Promise<void> {
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  }

  #accept(session: ServerHttp2Session): void {
    const connection: Connection = {
      session,
      stream: null,
      subscribed: new Set(),
      listening: new Map(),
      instances: new Map(),
    };
    session.on('error', () => {});
    session.once('close', () => {
      this.connections.delete(connection);
      for (const key of connection.instances.keys()) this.changed(key);
    });
    session.on('stream', (stream, headers) => {
      stream.on('error', () => {});
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      const isStream = headers[':path'] === '/BiRequestStream/requestBiStream';
      let rest = Buffer.alloc(0);
      stream.on('data', (chunk: Buffer) => {
        rest = Buffer.concat([rest, chunk]);
        while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
          const end = 5 + rest.readUInt32BE(1);
          const payload = decodePayload(rest.subarray(5, end));
          rest = rest.subarray(end);
          const body = JSON.parse(payload.body.toString('utf8')) as Body;
          this.activity++;
          if (isStream) this.#onStream(connection, stream, payload.type, body);
          else this.#onRequest(connection, stream, payload.type, body, payload.headers);
        }
      });
    });
  }

  #onStream(connection: Connection, stream: ServerHttp2Stream, type: string, body: Body): void {
    if (type !== 'ConnectionSetupRequest') {
      this.acknowledged.push(`${type} ${String(body['requestId'])} ${String(body['resultCode'])}`);
      return;
    }
    this.setups.push(body);
    connection.stream = stream;
    this.connections.add(connection);
    if (this.speaksOfAbilities && !this.isDeaf)
      this.push(connection, 'SetupAckRequest', { abilityTable: {} });
  }

  #onRequest(
    connection: Connection,
    stream: ServerHttp2Stream,
    type: string,
    body: Body,
    headers: Readonly<Record<string, string>>,
  ): void {
    this.requests.push(type);
    if (this.isDeaf) return;
    const [answerType, answer] = this.#answer(connection, type, body, headers);
    const full = { resultCode: 200, errorCode: 0, requestId: body['requestId'], ...answer };
    stream.end(
      frame(encodePayload({ type: answerType, headers: {}, body: Buffer.from(JSON.stringify(full)) })),
    );
  }

  #answer(
    connection: Connection,
    type: string,
    body: Body,
    headers: Readonly<Record<string, string>>,
  ): [string, Body] {
    if (type === 'ServerCheckRequest') {
      const supportAbilityNegotiation = this.speaksOfAbilities;
      return ['ServerCheckResponse', { connectionId: String(++this.#serial), supportAbilityNegotiation }];
    }
    if (!this.connections.has(connection)) return refusal(301, 'Connection is unregistered.');
    const refused = this.refusing.get(type);
    if (refused !== undefined) return refusal(refused, 'refused by the test');
    if (type === 'HealthCheckRequest') return ['HealthCheckResponse', {}];
    if (this.users !== null && !this.tokens.has(headers['accessToken'] ?? ''))
      return refusal(403, 'no right');
    const key = `${String(body['groupName'])}@@${String(body['serviceName'])}`;
    switch (type) {
      case 'SubscribeServiceRequest':
        if (body['subscribe'] === true) connection.subscribed.add(key);
        else connection.subscribed.delete(key);
        return ['SubscribeServiceResponse', { serviceInfo: this.#info(key) }];
      case 'InstanceRequest':
        if (body['type'] === 'deregisterInstance') connection.instances.delete(key);
        else connection.instances.set(key, [body['instance'] as FakeInstance]);
        this.changed(key);
        return ['InstanceResponse', { type: body['type'] }];
      case 'BatchInstanceRequest':
        connection.instances.set(key, body['instances'] as FakeInstance[]);
        this.changed(key);
        return ['BatchInstanceResponse', { type: body['type'] }];
      case 'ServiceListRequest':
        return ['ServiceListResponse', this.#list(body)];
      default:
        return this.#config(connection, type, body);
    }
  }

  #config(connection: Connection, type: string, body: Body): [string, Body] {
    const key = `${String(body['group'])}\n${String(body['dataId'])}`;
    const text = this.configs.get(key);
    switch (type) {
      case 'ConfigQueryRequest':
        if (text === undefined) return refusal(300, 'config data not exist', 'ConfigQueryResponse');
        return ['ConfigQueryResponse', { content: text, md5: md5(text), contentType: 'text' }];
      case 'ConfigPublishRequest':
        if (body['casMd5'] !== undefined && body['casMd5'] !== md5(text ?? ''))
          return refusal(500, 'Cas publish fail, server md5 may have changed.', 'ConfigPublishResponse');
        this.setConfig(String(body['dataId']), String(body['group']), String(body['content']));
        return ['ConfigPublishResponse', {}];
      case 'ConfigBatchListenRequest': {
        const changedConfigs: Body[] = [];
        for (const { dataId, group, md5: known } of body['configListenContexts'] as Record<
          string,
          string
        >[]) {
          const one = `${group}\n${dataId}`;
          if (body['listen'] === true) connection.listening.set(one, known as string);
          else connection.listening.delete(one);
          const now = this.configs.get(one);
          if ((now === undefined ? '' : md5(now)) !== known)
            changedConfigs.push({ dataId, group, tenant: '' });
        }
        return ['ConfigChangeBatchListenResponse', { changedConfigs }];
      }
      default:
        return refusal(302, 'RequestHandler Not Found');
    }
  }

  #info(key: string): Body {
    const [groupName, name] = key.split('@@');
    return { name, groupName, clusters: '', cacheMillis: 10_000, hosts: this.hosts(key), valid: true };
  }

  #list(body: Body): Body {
    const group = `${String(body['groupName'])}@@`;
    const own = [...this.connections].flatMap(({ instances }) => [...instances.keys()]);
    const all = [...new Set([...this.fixed.keys(), ...own])]
      .filter((key) => key.startsWith(group))
      .toSorted();
    const size = Number(body['pageSize']);
    const at = (Number(body['pageNo']) - 1) * size;
    return {
      count: all.length,
      serviceNames: all.slice(at, at + size).map((key) => key.slice(group.length)),
    };
  }

  #login(path: string, form: URLSearchParams): { status: number; body: string } {
    if (path !== this.loginPath) return { status: 404, body: '{"status":404}' };
    this.logins++;
    const user = form.get('username') ?? '';
    if (this.users?.get(user) !== form.get('password')) return { status: 403, body: 'unknown user!' };
    const accessToken = `token-${++this.#serial}`;
    this.tokens.add(accessToken);
    return {
      status: 200,
      body: JSON.stringify({ accessToken, tokenTtl: this.tokenTtlSeconds, globalAdmin: true }),
    };
  }
}

function refusal(code: number, message: string, type = 'ErrorResponse'): [string, Body] {
  return [type, { resultCode: 500, errorCode: code, message }];
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
