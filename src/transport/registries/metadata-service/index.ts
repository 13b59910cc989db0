import { HeadView } from '../../../core/base/head-view.ts';
import type { RegistryContext } from '../../../core/contract/registry.ts';
import type { ApplicationMetadata, ServiceInstance } from '../../../core/contract/service-source.ts';
import type { Dialer } from '../../../core/contract/wire.ts';
import { instanceKeys } from '../../../core/discovery/dubbo/instance.ts';
import { isRecord, parseMetadataInfo } from '../../../core/discovery/dubbo/metadata-info.ts';
import { GrpcChannel } from '../../grpc/channel.ts';
import { noAttachments } from '../../rpc/call.ts';
import { RpcEngines } from '../../rpc/engine.ts';
import { exchangeDubbo } from './dubbo-exchange.ts';
import { decodeMetadataV2, encodeMetadataRequest } from './metadata-v2.ts';

/** As Dubbo's own consumers wait. */
const limits = { timeoutMs: 5000, maxBytes: 32 * 1024 * 1024 };
const serviceV1 = 'org.apache.dubbo.metadata.MetadataService';
const serviceV2 = 'org.apache.dubbo.metadata.MetadataServiceV2';

/** Where an instance answers for its metadata, and how. */
interface MetadataPlace {
  readonly address: string;
  readonly protocol: string;
  readonly isV2: boolean;
}

/**
 * Asks instances themselves what they provide: Dubbo's metadata service, version 1 over the dubbo protocol (needs the
 * package hessian.js) and version 2 over Triple.
 */
export class MetadataServices {
  readonly #context: Pick<RegistryContext, 'clock' | 'random' | 'logger' | 'metrics'>;
  readonly #dial: Dialer;
  readonly #engines: RpcEngines;

  /** @param dial to instances, plain */
  constructor(context: RegistryContext, dial: Dialer) {
    this.#context = context;
    this.#dial = dial;
    this.#engines = new RpcEngines(context.codec.names);
  }

  /** Rejects when the instance does not answer, or not with metadata. */
  async fetch(instance: ServiceInstance, revision: string): Promise<ApplicationMetadata> {
    const place = placeOf(instance);
    if (typeof place === 'string') throw new Error(`${instance.address} ${place}`);
    if (place.isV2) return await this.#fetchV2(place.address, instance.application, revision);
    if (place.protocol === 'dubbo') return await this.#fetchV1(place.address, instance.application, revision);
    throw new Error(
      `${place.address} has its metadata service on protocol ${JSON.stringify(place.protocol)}`,
    );
  }

  async #fetchV1(address: string, application: string, revision: string): Promise<ApplicationMetadata> {
    const engine = this.#engines.get('dubbo');
    const request = engine.messages.encodeRequest({
      service: serviceV1,
      version: '1.0.0',
      group: application,
      method: 'getMetadataInfo',
      args: [revision],
      argTypes: ['java.lang.String'],
      attachments: noAttachments,
      timeoutMs: limits.timeoutMs,
      isOneway: false,
    });
    const frame = await exchangeDubbo(this.#dial, address, request, limits, this.#context.clock);
    const head = new HeadView();
    engine.readResponse(head, frame);
    const outcome = engine.messages.decodeResponse(head, frame.subarray(head.bodyStart, head.bodyEnd));
    if (outcome.kind === 'failure')
      throw new Error(`${address}: status ${outcome.status} ${outcome.message}`);
    if (outcome.kind === 'exception') throw new Error(`${address}: ${outcome.exception.message}`);
    if (outcome.value === null) throw new Error(`${address} does not know revision ${revision}`);
    const parsed = parseMetadataInfo(JSON.stringify(outcome.value));
    if (typeof parsed === 'string') throw new Error(`${address}: ${parsed}`);
    return parsed;
  }

  async #fetchV2(address: string, application: string, revision: string): Promise<ApplicationMetadata> {
    const channel = new GrpcChannel(
      { address, connectTimeoutMs: limits.timeoutMs, maxReceiveBytes: limits.maxBytes },
      { ...this.#context, dial: this.#dial },
    );
    const method = {
      service: serviceV2,
      name: 'GetMetadataInfo',
      encode: encodeMetadataRequest,
      decode: decodeMetadataV2,
    };
    const metadata = { 'tri-service-version': '2.0.0', 'tri-service-group': application };
    try {
      return await channel.unary(method, revision, { timeoutMs: limits.timeoutMs, metadata });
    } finally {
      await channel.close();
    }
  }
}

/** @returns why there is none */
function placeOf({ address, metadata }: ServiceInstance): MetadataPlace | string {
  const text = metadata[instanceKeys.metadataService];
  if (text === undefined) return 'says nothing of a metadata service';
  let parameters: unknown;
  try {
    parameters = JSON.parse(text);
  } catch {
    return 'describes its metadata service in no JSON';
  }
  const { port, protocol } = isRecord(parameters) ? parameters : {};
  const number = Number(port);
  if (!Number.isInteger(number) || number <= 0 || number > 65535)
    return 'has no port for its metadata service';
  const host = address.slice(0, address.lastIndexOf(':'));
  const isV2 = metadata[instanceKeys.metadataVersion] === '2.0.0';
  return { address: `${host}:${number}`, protocol: typeof protocol === 'string' ? protocol : 'dubbo', isV2 };
}
