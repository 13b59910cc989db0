import type {
  ClientCodec,
  ClientOwner,
  ServerCodec,
  ServerLimits,
  ServerOwner,
} from '../core/contract/codec.ts';
import type { Logger } from '../core/contract/logger.ts';
import type { Pipeline } from '../core/contract/pipeline.ts';

/** The defaults of the contract. */
export const defaultServerLimits: ServerLimits = {
  maxHeaderBytes: 32 * 1024,
  maxHeaderCount: 100,
  maxUriBytes: 8 * 1024,
  maxBodyBytes: 0,
  idleTimeoutMs: 60_000,
  headerTimeoutMs: 10_000,
  requestTimeoutMs: 300_000,
  maxRequestsPerConnection: 0,
  maxPipelined: 16,
};

/** A pipeline without filters, routes and logs; its slots count into slot 0. */
export function emptyPipeline(name = 'test'): Pipeline {
  return {
    name,
    filters: {
      all: [],
      beforeRoute: [],
      afterRoute: [],
      afterHost: [],
      requestBody: [],
      requestTrailers: [],
      responseHead: [],
      responseBody: [],
      responseTrailers: [],
      streamEnd: [],
    },
    router: { match: () => null },
    accessLogs: [],
    tracer: null,
    streamIdleTimeoutMs: 0,
    maxBufferedBytes: 1024 * 1024,
    serverHeader: null,
    normalizePath: { dotSegments: true, mergeSlashes: false, escapedSlashes: 'keep' },
    slots: {
      requests: 0,
      active: 0,
      resets: 0,
      statusClass: [0, 0, 0, 0, 0],
      duration: 0,
      bytesReceived: 0,
      bytesSent: 0,
    },
  };
}

/** Writes nothing. */
export const silentLogger: Logger = {
  level: 'off',
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
};

/** A listener that writes down what its codecs tell it. */
export class FakeServerOwner implements ServerOwner {
  pipeline: Pipeline = emptyPipeline();
  limits: ServerLimits;
  isDraining = false;
  readonly protocolErrors: { code: number; detail: string }[] = [];
  readonly closedCodecs: ServerCodec[] = [];
  idleCalls = 0;

  constructor(limits: Partial<ServerLimits> = {}) {
    this.limits = { ...defaultServerLimits, ...limits };
  }

  protocolError(code: number, detail: string): void {
    this.protocolErrors.push({ code, detail });
  }

  closed(codec: ServerCodec): void {
    this.closedCodecs.push(codec);
  }

  idle(_codec: ServerCodec): void {
    this.idleCalls++;
  }
}

/** A pool that writes down what its codecs tell it. */
export class FakeClientOwner implements ClientOwner {
  rooms = 0;
  connects = 0;
  readonly goneCodes: number[] = [];
  /** Called by `room`: a pool may bind the next stream at once. */
  onRoom: (codec: ClientCodec) => void = () => {};

  room(codec: ClientCodec): void {
    this.rooms++;
    this.onRoom(codec);
  }

  gone(_codec: ClientCodec, code: number): void {
    this.goneCodes.push(code);
  }

  connected(_codec: ClientCodec): void {
    this.connects++;
  }
}
