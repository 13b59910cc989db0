import { messageOf } from '../../../../core/base/errors.ts';
import type { RegistryContext } from '../../../../core/contract/registry.ts';
import type { Dialer } from '../../../../core/contract/wire.ts';
import { type GrpcCall, GrpcChannel } from '../../../grpc/index.ts';
import {
  NacosCode,
  NacosError,
  type NacosResponse,
  type ServerCheckResponse,
  type ServerRequest,
} from '../wire/messages.ts';
import { type NacosPayload, requestMethod, streamMethod } from '../wire/payload.ts';

export interface ConnectionOptions {
  /** Of the server's gRPC port. */
  readonly address: string;
  /** Namespace; "" = public. */
  readonly tenant: string;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly maxMessageBytes: number;
}

export type ConnectionContext = Pick<RegistryContext, 'clock' | 'random' | 'logger' | 'metrics'> & {
  readonly dial: Dialer;
};

/** What the server asks of us. @returns the type of the answer; null = the request is not known */
export type OnServerRequest = (type: string, request: ServerRequest) => string | null;

type Headers = Readonly<Record<string, string>>;

/** Servers before 2.4 say nothing when the connection is set up; their own client waits as long. */
const settleMs = 100;
const labels = { source: 'sdk', module: 'naming', AppName: 'heddle' };
const clientVersion = 'Heddle-Client:v1';

/**
 * One gRPC connection to one server: a stream on which the server asks, and single requests of ours beside it. Both must
 * go over the same TCP connection, for that is how the server knows who asks; what this process registers there lives as
 * long as it does.
 *
 *   ServerCheck -> stream: ConnectionSetup -> (SetupAck) -> requests ... and pushes, each answered on the stream
 */
export class NacosConnection {
  /** Resolves with the reason when it is over. */
  readonly closed: Promise<string>;
  readonly address: string;
  readonly #options: ConnectionOptions;
  readonly #context: ConnectionContext;
  readonly #channel: GrpcChannel;
  readonly #over = Promise.withResolvers<string>();
  readonly #acknowledged = Promise.withResolvers<void>();
  readonly #onRequest: OnServerRequest;
  #stream: GrpcCall<NacosPayload, NacosPayload> | null = null;
  #serial = 0;
  #lastHeardMs: number;
  #isClosed = false;

  constructor(options: ConnectionOptions, context: ConnectionContext, onRequest: OnServerRequest) {
    const { address, connectTimeoutMs, maxMessageBytes } = options;
    this.address = address;
    this.closed = this.#over.promise;
    this.#options = options;
    this.#context = context;
    this.#onRequest = onRequest;
    this.#lastHeardMs = context.clock.now();
    const limits = { connectTimeoutMs, idleTimeoutMs: 0, maxReceiveBytes: maxMessageBytes };
    this.#channel = new GrpcChannel({ address, maxConnections: 1, ...limits }, context);
  }

  /** Milliseconds since the server was heard last. */
  get silentMs(): number {
    return this.#context.clock.now() - this.#lastHeardMs;
  }

  /** Rejects when the server cannot be used; the connection is over then. */
  async open(): Promise<this> {
    try {
      const { connectTimeoutMs, tenant } = this.#options;
      const check = await this.#ask<ServerCheckResponse>('ServerCheckRequest', {}, {}, connectTimeoutMs);
      this.#stream = this.#channel.open(streamMethod);
      void this.#read(this.#stream);
      const setup = { clientVersion, tenant, labels, abilityTable: {}, module: 'internal' };
      await this.#stream.send(payloadOf('ConnectionSetupRequest', setup, {}));
      const { clock } = this.#context;
      const limit = Promise.withResolvers<void>();
      const speaks = check.supportAbilityNegotiation === true;
      const timer = clock.setTimer(speaks ? connectTimeoutMs : settleMs, () =>
        speaks ? limit.reject(new Error('it does not acknowledge the connection')) : limit.resolve(),
      );
      const gone = this.closed.then((reason) => Promise.reject(new Error(reason)));
      await Promise.race([this.#acknowledged.promise, limit.promise, gone]).finally(() => timer.cancel());
      return this;
    } catch (thrown) {
      this.close(messageOf(thrown));
      throw thrown;
    }
  }

  /** @returns an answer with `resultCode` 200. Rejects with NacosError, or what gRPC says */
  async request<Response extends NacosResponse>(
    type: string,
    body: object,
    headers: Headers,
  ): Promise<Response> {
    const response = await this.#ask<Response>(type, body, headers, this.#options.requestTimeoutMs);
    const { resultCode, errorCode = 0, message } = response;
    if (resultCode === NacosCode.success) return response;
    const code = errorCode === 0 ? (resultCode ?? 0) : errorCode;
    if (code === NacosCode.unregistered) this.close('the server does not know the connection any more');
    throw new NacosError(code, `${type} was refused with ${code}: ${message ?? 'no reason given'}`);
  }

  close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stream?.cancel();
    void this.#channel.close();
    this.#over.resolve(reason);
  }

  async #ask<Response>(type: string, body: object, headers: Headers, timeoutMs: number): Promise<Response> {
    const full = { requestId: String(++this.#serial), ...body };
    const answer = await this.#channel.unary(requestMethod, payloadOf(type, full, headers), { timeoutMs });
    this.#lastHeardMs = this.#context.clock.now();
    return jsonOf(answer) as Response;
  }

  async #read(stream: GrpcCall<NacosPayload, NacosPayload>): Promise<void> {
    let reason = 'the server ended the connection';
    try {
      for await (const payload of stream) {
        this.#lastHeardMs = this.#context.clock.now();
        this.#answer(stream, payload);
      }
    } catch (thrown) {
      reason = messageOf(thrown);
    }
    this.close(reason);
  }

  #answer(stream: GrpcCall<NacosPayload, NacosPayload>, payload: NacosPayload): void {
    const request = jsonOf(payload) as ServerRequest;
    if (payload.type === 'SetupAckRequest') {
      this.#acknowledged.resolve();
      return;
    }
    const type = this.#onRequest(payload.type, request);
    const { requestId = '' } = request;
    const body =
      type === null
        ? { resultCode: 500, errorCode: 302, message: `${payload.type} is not known here`, requestId }
        : { resultCode: 200, errorCode: 0, success: true, requestId };
    stream.send(payloadOf(type ?? 'ErrorResponse', body, {})).catch(() => {});
  }
}

function payloadOf(type: string, body: object, headers: Headers): NacosPayload {
  return { type, headers, body: Buffer.from(JSON.stringify(body), 'utf8') };
}

/** @throws NacosError for what is no JSON object */
function jsonOf({ type, body }: NacosPayload): object {
  let value: unknown;
  try {
    value = JSON.parse(body.length === 0 ? '{}' : body.toString('utf8'));
  } catch {
    value = null;
  }
  if (typeof value !== 'object' || value === null) throw new NacosError(0, `${type} is not a JSON object`);
  return value;
}
