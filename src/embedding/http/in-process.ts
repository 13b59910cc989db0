import type { Duplex } from 'node:stream';
import { Code } from '../../core/base/codes.ts';
import type { HeadView } from '../../core/base/head-view.ts';
import type { CodecContext, ServerLimits, ServerOwner } from '../../core/contract/codec.ts';
import type { Pipeline } from '../../core/contract/pipeline.ts';
import type { Stream } from '../../core/contract/stream.ts';
import { callError } from '../../core/stream/call.ts';
import type { Http1Config } from '../../transport/codecs/http1/index.ts';
import { Http1Server } from '../../transport/codecs/http1/server.ts';
import type { KeepAlive } from '../../transport/index.ts';
import { type Holder, MemorySocket } from './memory-socket.ts';
import type { MemoryWire } from './memory-wire.ts';

/** The program itself is at the other end: only what an upstream would refuse anyway is limited. */
const limits: ServerLimits = {
  maxHeaderBytes: 256 * 1024,
  maxHeaderCount: 2000,
  maxUriBytes: 64 * 1024,
  maxBodyBytes: 0,
  idleTimeoutMs: 0,
  headerTimeoutMs: 0,
  requestTimeoutMs: 0,
  maxRequestsPerConnection: 0,
  maxPipelined: 16,
};

const config: Http1Config = {
  underscoresInHeaders: 'allow',
  allowObsText: true,
  allowHalfClose: true,
  maxDrainBytes: 65_536,
  lingerMs: 2000,
  response: { maxHeaderBytes: 256 * 1024, maxHeaderCount: 2000 },
};

/** What connections of the program into its own mesh share. */
export interface InProcessEnd {
  readonly codec: CodecContext;
  readonly keepAlive: KeepAlive;
  pipeline(): Pipeline;
  isClosed(): boolean;
}

/** Opens connections that speak HTTP/1.1 into the mesh of this process, without a socket. */
export class InProcessHttp implements Holder {
  readonly #end: InProcessEnd;
  readonly #owner: ServerOwner;
  readonly #open = new Set<MemorySocket>();
  #holds = 0;

  constructor(end: InProcessEnd) {
    this.#end = end;
    this.#owner = {
      get pipeline() {
        return end.pipeline();
      },
      get isDraining() {
        return end.isClosed();
      },
      limits,
      protocolError() {},
      closed() {},
      idle() {},
    };
  }

  open(): Duplex {
    const socket = new MemorySocket(this);
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    new InProcessServer(socket.wire, this.#end.codec, this.#owner, config);
    return socket;
  }

  /** For the end of the mesh. */
  closeAll(): void {
    for (const socket of this.#open) socket.wire.destroy(Code.meshClosed);
  }

  hold(): void {
    if (this.#holds++ === 0) this.#end.keepAlive.ref();
  }

  letGo(): void {
    if (--this.#holds === 0) this.#end.keepAlive.unref();
  }
}

/**
 * HTTP/1.1 for the program's own clients. A call without an answer ends its connection with the reason as an error, as
 * a refused connection would; a gateway's 503 would pass for the upstream's.
 */
class InProcessServer extends Http1Server {
  override sendHead(
    s: Stream,
    head: HeadView,
    buf: Buffer | null,
    a: number,
    b: number,
    end: boolean,
  ): boolean {
    if (s !== this.stream || !s.isLocalReply || s.code === Code.none) {
      return super.sendHead(s, head, buf, a, b, end);
    }
    (this.wire as MemoryWire).fail(callError(s));
    this.reset(s, s.code);
    return true;
  }

  override reset(s: Stream, code: number): void {
    if (s === this.stream && code !== Code.none) (this.wire as MemoryWire).fail(callError(s, code));
    super.reset(s, code);
  }
}
