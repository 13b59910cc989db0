import { HeadView } from '../../core/base/head-view.ts';
import { GrpcClient } from '../../transport/grpc/client.ts';
import type { GrpcExchange } from '../../transport/grpc/exchange.ts';
import type { GrpcCallOptions } from '../../transport/grpc/options.ts';
import { writeRequestHead } from '../../transport/grpc/request.ts';
import type { MeshPort } from '../port.ts';
import { PortStream } from './port-stream.ts';

const fourMiB = 4 * 1024 * 1024;

/** Our own client through a mesh: calls are routed by the authority. */
export class PortClient extends GrpcClient {
  readonly #port: Pick<MeshPort, 'request'>;
  readonly #authority: string;

  constructor(port: Pick<MeshPort, 'request'>, authority: string) {
    super();
    this.#port = port;
    this.#authority = authority;
  }

  override start(path: string, exchange: GrpcExchange, options: GrpcCallOptions): void {
    const head = new HeadView();
    writeRequestHead(head, path, this.#authority, options.timeoutMs ?? 0, options.metadata ?? {});
    startOn(this.#port, exchange, this.#authority, path, fieldsOf(head));
  }

  protected override maxReceiveBytes(options: GrpcCallOptions): number {
    return options.maxReceiveBytes ?? fourMiB;
  }

  protected override maxSendBytes(): number {
    return Number.POSITIVE_INFINITY;
  }
}

/** @throws HeddleError ERR_REQUEST_INVALID, ERR_HEADER_INVALID */
export function startOn(
  port: Pick<MeshPort, 'request'>,
  exchange: GrpcExchange,
  authority: string,
  path: string,
  headers: Readonly<Record<string, readonly string[]>>,
): void {
  const stream = new PortStream(port, exchange);
  exchange.begin(stream);
  stream.open({ authority, path, headers });
}

function fieldsOf(head: HeadView): Record<string, string[]> {
  const fields: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  head.forEach((name, value) => {
    fields[name] ??= [];
    fields[name].push(value);
  });
  return fields;
}
