import type { Server as HttpServer } from 'node:http';
import type { Http2SecureServer, Http2Server } from 'node:http2';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { HeddleError } from '../../core/base/errors.ts';
import type { Metrics } from '../../core/contract/metrics.ts';
import type { Pipeline, Router } from '../../core/contract/pipeline.ts';
import type { Stream, StreamCore } from '../../core/contract/stream.ts';
import type { Peer } from '../../core/contract/wire.ts';
import { plainAddress } from '../../transport/wire/address.ts';
import { SocketPeer } from '../../transport/wire/socket-peer.ts';
import { ApplicationCluster, applicationRoute } from './application.ts';
import { Exchange } from './exchange.ts';
import type { Request, Response } from './messages.ts';
import { TraceScope } from './trace-scope.ts';
import { UpgradeExchange } from './upgrade-exchange.ts';

/** Servers that `mesh.protect` takes; of http2 those of its compatibility API ('request' events). */
export type ProtectedServer = HttpServer | HttpsServer | Http2Server | Http2SecureServer;

type Emit = (event: string | symbol, ...given: unknown[]) => boolean;
interface Emitter {
  emit: Emit;
  listenerCount(event: string): number;
}

const protectorOf = Symbol.for('heddle.protector');

/** What the ingress side needs of its mesh. */
export interface IngressMesh {
  readonly core: StreamCore;
  readonly isClosed: () => boolean;
  /** In force now; a reload swaps it. */
  readonly pipeline: () => Pipeline;
}

/**
 * Puts the mesh in front of servers of this process: each request passes the filters of `ingress` before the
 * application's first listener hears of it, its answer on the way out; both are counted, traced and logged.
 */
export class Ingress {
  readonly scope: TraceScope = new TraceScope();
  readonly #mesh: IngressMesh;
  /** Whether streams of a pipeline need their bodies: asked of each pipeline once. */
  readonly #capturing = new WeakMap<Pipeline, boolean>();

  constructor(mesh: IngressMesh) {
    this.#mesh = mesh;
  }

  /**
   * @returns takes it back
   * @throws HeddleError ERR_OPTION_INVALID when it is no server, or another mesh protects it
   */
  protect(server: ProtectedServer): () => void {
    const emitter = server as unknown as Emitter & { [protectorOf]?: Ingress };
    if (typeof emitter?.emit !== 'function' || typeof emitter.listenerCount !== 'function') {
      throw new HeddleError('ERR_OPTION_INVALID', 'mesh.protect takes a server of node:http, https or http2');
    }
    if (emitter[protectorOf] === this) return () => {};
    if (emitter[protectorOf] !== undefined) {
      throw new HeddleError('ERR_OPTION_INVALID', 'mesh.protect: another mesh protects this server');
    }
    const ownEmit = Object.hasOwn(emitter, 'emit') ? emitter.emit : null;
    const emit = emitter.emit;
    let isActive = true;
    const hooked: Emit = (event, ...given) => {
      if (!isActive || this.#mesh.isClosed()) return emit.call(emitter, event, ...given);
      switch (event) {
        case 'request':
        case 'checkContinue':
        case 'checkExpectation':
          if (emitter.listenerCount(event) === 0) return false;
          this.#request(emit.bind(emitter, event), given);
          return true;
        case 'upgrade':
        case 'connect':
          // A 'connect' with one argument is that of a session.
          if (emitter.listenerCount(event) === 0 || given.length < 3) break;
          this.#upgrade(emit.bind(emitter, event), given);
          return true;
        default:
      }
      return emit.call(emitter, event, ...given);
    };
    emitter.emit = hooked;
    emitter[protectorOf] = this;
    return () => {
      isActive = false;
      delete emitter[protectorOf];
      if (emitter.emit !== hooked) return;
      if (ownEmit !== null) emitter.emit = ownEmit;
      else Reflect.deleteProperty(emitter, 'emit');
    };
  }

  #request(emit: (...given: unknown[]) => boolean, given: unknown[]): void {
    const [request, response] = given as [Request, Response];
    const exchange = new Exchange(request, response, (s) => this.scope.run(s, () => void emit(...given)));
    const pipeline = this.#mesh.pipeline();
    exchange.begin(this.#acquire(request, pipeline), this.#capturesBody(pipeline));
  }

  #upgrade(emit: (...given: unknown[]) => boolean, given: unknown[]): void {
    const [request, socket] = given as [Request, Duplex];
    const exchange = new UpgradeExchange(request, socket, (s) =>
      this.scope.run(s, () => void emit(...given)),
    );
    exchange.begin(this.#acquire(request, this.#mesh.pipeline()));
  }

  /** Does any body filter, or a route to another cluster, need the bodies? */
  #capturesBody(pipeline: Pipeline): boolean {
    let captures = this.#capturing.get(pipeline);
    if (captures === undefined) {
      captures = pipeline.filters.requestBody.length > 0 || !(pipeline.router instanceof ApplicationRouter);
      this.#capturing.set(pipeline, captures);
    }
    return captures;
  }

  #acquire(request: Request, pipeline: Pipeline): Stream {
    const s = this.#mesh.core.acquire();
    s.pipeline = pipeline;
    s.protocol = request.httpVersionMajor >= 2 ? 'http2' : 'http1';
    s.peer = peerOf(request.socket as Socket);
    return s;
  }
}

/** Everything goes to the application. */
export class ApplicationRouter implements Router {
  readonly #route: ReturnType<typeof applicationRoute>;

  constructor(metrics: Metrics) {
    this.#route = applicationRoute({ name: 'application', current: new ApplicationCluster(metrics) });
  }

  match(): ReturnType<typeof applicationRoute> {
    return this.#route;
  }
}

/** By the virtual hosts where one has a route for the request, else to the application. */
export class IngressRouter implements Router {
  readonly #first: Router;
  readonly #application: ApplicationRouter;

  constructor(first: Router, application: ApplicationRouter) {
    this.#first = first;
    this.#application = application;
  }

  match(s: Stream): ReturnType<typeof applicationRoute> {
    return this.#first.match(s) ?? this.#application.match();
  }
}

function peerOf(socket: Socket | undefined): Peer | null {
  const address = socket?.remoteAddress;
  if (socket === undefined) return null;
  return new SocketPeer(
    socket,
    address === undefined ? 'unix' : plainAddress(address),
    socket.remotePort ?? 0,
  );
}
