import type { Duplex } from 'node:stream';
import type { CallOptions } from '../core/stream/start-call.ts';

/**
 * What the adapters need of a mesh. The in-process mesh and the worker mesh both have it, so that every adapter (undici
 * dispatcher, http agent, TCP factories, the zero-code hooks) is written once.
 */
export interface MeshPort {
  /** Has the mesh an answer for calls to this authority? @param authority "host" or "host:port", in lower case */
  knows(authority: string): boolean;
  request(options: CallOptions): Promise<CallAnswer>;
  /** A raw byte connection to a host of the cluster. */
  connect(cluster: string): Promise<Duplex>;
  /** A connection into the mesh that speaks HTTP/1.1: what is written to it is routed by its Host header. */
  openHttp(): Duplex;
  /** Trace headers of the request that the running code serves; null outside of one, absent where servers are not protected. */
  inboundTrace?(): Readonly<Record<string, string>> | null;
}

/** An answer of the mesh, as the adapters read it. */
export interface CallAnswer {
  readonly status: number;
  readonly headers: FieldList;
  readonly body: AnswerBody;
  /** Once the body has ended; null when there were none. */
  readonly trailers: FieldList | null;
}

export interface FieldList {
  forEach(visit: (name: string, value: string) => void): void;
}

/** Read it whole at once (`complete`) or chunk by chunk; a slow reader slows the upstream down. */
interface AnswerBody extends AsyncIterable<Uint8Array> {
  /** The whole body when it came with the head, else null; reading it takes it. */
  readonly complete: Uint8Array | null;
  cancel(): void;
}
