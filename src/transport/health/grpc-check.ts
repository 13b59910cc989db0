import * as v from 'valibot';
import { Code } from '../../core/base/codes.ts';
import { grpcStatusName } from '../../core/base/grpc-status.ts';
import { authority } from '../../core/config/schema/values.ts';
import type { Endpoint } from '../../core/contract/cluster.ts';
import {
  type HealthCheckContext,
  type HealthCheckDefinition,
  type HostProbe,
  ProbeResult,
} from '../../core/contract/health-check.ts';
import { GrpcChannel } from '../grpc/channel.ts';
import { GrpcEngine } from '../grpc/engine.ts';
import { type ExchangeListener, GrpcExchange, type GrpcOutcome } from '../grpc/exchange.ts';
import { withPort } from './address-port.ts';

const path = '/grpc.health.v1.Health/Check';
/** An answer is two bytes long. */
const maxAnswerBytes = 4096;
/** grpc.health.v1.HealthCheckResponse.ServingStatus */
const servingStatuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
const serving = 1;
const notServing = 2;

const Config = v.strictObject({
  /** The service that is asked about; "" is the server as a whole (""). */
  service: v.optional(v.pipe(v.string(), v.maxLength(1024)), ''),
  /** `:authority` (name of the host, else of the cluster). */
  authority: v.optional(v.union([authority, v.literal('')]), ''),
  /** Instead of the host's own port; 0 = that. */
  port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)), 0),
});
export type GrpcCheckConfig = v.InferOutput<typeof Config>;

/** grpc.health.v1.HealthCheckRequest { string service = 1 } */
function requestOf(service: string): Uint8Array {
  const text = Buffer.from(service);
  if (text.length === 0) return text;
  const length = text.length < 128 ? [text.length] : [(text.length & 127) | 128, text.length >> 7];
  return Buffer.concat([Buffer.from([0x0a, ...length]), text]);
}

/** HealthCheckResponse { ServingStatus status = 1 }; -1 for bytes that are none. */
function statusOf(answer: Buffer): number {
  if (answer.length === 0) return 0;
  return answer[0] === 0x08 && answer.length >= 2 && (answer[1] as number) < 128 ? (answer[1] as number) : -1;
}

class GrpcProbe implements HostProbe, ExchangeListener {
  readonly #channel: GrpcChannel;
  readonly #request: Uint8Array;
  readonly #keeps: boolean;
  #exchange: GrpcExchange | null = null;
  #answer = -1;
  #done: ((result: ProbeResult, reason: string) => void) | null = null;

  constructor(channel: GrpcChannel, request: Uint8Array, keeps: boolean) {
    this.#channel = channel;
    this.#request = request;
    this.#keeps = keeps;
  }

  probe(done: (result: ProbeResult, reason: string) => void): void {
    this.#done = done;
    this.#answer = -1;
    const exchange = new GrpcExchange(maxAnswerBytes, this);
    this.#exchange = exchange;
    this.#channel.start(path, exchange, {});
    exchange.send(this.#request, true);
  }

  cancel(): void {
    if (this.#done === null) return;
    this.#done = null;
    this.#exchange?.cancel(Code.aborted);
    this.#channel.disconnect();
  }

  close(): void {
    this.#done = null;
    void this.#channel.close();
  }

  onMetadata(): void {}
  onWritable(): void {}

  onMessage(message: Buffer): void {
    this.#answer = statusOf(message);
  }

  onOutcome(outcome: GrpcOutcome): void {
    const done = this.#done;
    this.#done = null;
    this.#exchange = null;
    // The connection is still telling of this call: it is dropped once that is over.
    if (!this.#keeps || outcome.status !== 0) queueMicrotask(() => this.#channel.disconnect());
    if (outcome.status !== 0) {
      done?.(ProbeResult.fail, outcome.reason || `grpc_${grpcStatusName(outcome.status).toLowerCase()}`);
    } else if (this.#answer === serving) done?.(ProbeResult.pass, '');
    else {
      const reason = (servingStatuses[this.#answer] ?? 'no_health_answer').toLowerCase();
      done?.(this.#answer === notServing ? ProbeResult.failNow : ProbeResult.fail, reason);
    }
  }
}

/** The gRPC health protocol, `grpc.health.v1.Health/Check`: SERVING passes, NOT_SERVING fails at once. */
export const grpcCheck: HealthCheckDefinition<GrpcCheckConfig> = {
  name: 'grpc',
  config: Config,
  create(config, context: HealthCheckContext) {
    const engine = new GrpcEngine(context);
    const request = requestOf(config.service);
    return (host: Endpoint) => {
      const name = config.authority || host.hostname || context.cluster;
      const channel = new GrpcChannel(
        // The cluster's timeout is that of the whole check.
        {
          address: withPort(host.address, config.port),
          authority: name,
          idleTimeoutMs: 0,
          connectTimeoutMs: 0,
        },
        context,
        engine,
      );
      return new GrpcProbe(channel, request, context.reuseConnection);
    };
  },
};
