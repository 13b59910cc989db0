import { HeddleError } from '../../core/base/errors.ts';
import type { MeshPort } from '../port.ts';
import { MeshJsCall } from './js-call.ts';
import type { JsCall, JsChannel } from './js-types.ts';

/** grpc.connectivityState */
const ready = 2;
const shutdown = 4;
const fourMiB = 4 * 1024 * 1024;

/**
 * A channel of @grpc/grpc-js that ends in the mesh, without a socket in between:
 * `new Client('unused', grpc.credentials.createInsecure(), { channelOverride: mesh.grpc.channel('users') })`.
 */
export class MeshJsChannel implements JsChannel {
  readonly #port: Pick<MeshPort, 'request'>;
  readonly #authority: string;
  readonly #maxReceiveBytes: number;
  #numbers = 0;
  #isClosed = false;

  /** @param maxReceiveBytes of one message; default 4 MiB */
  constructor(port: Pick<MeshPort, 'request'>, authority: string, maxReceiveBytes: number = fourMiB) {
    this.#port = port;
    this.#authority = authority;
    this.#maxReceiveBytes = maxReceiveBytes;
  }

  /** Takes no more calls; those under way end on their own. */
  close(): void {
    this.#isClosed = true;
  }

  getTarget(): string {
    return `heddle:${this.#authority}`;
  }

  getConnectivityState(): number {
    return this.#isClosed ? shutdown : ready;
  }

  /** The mesh is always ready: a change never comes before the deadline. */
  watchConnectivityState(state: number, deadline: Date | number, done: (error?: Error) => void): void {
    if (state !== this.getConnectivityState()) {
      process.nextTick(done);
      return;
    }
    const untilMs = Number(deadline) - Date.now();
    if (untilMs === Number.POSITIVE_INFINITY) return;
    const late = (): void => done(new Error('Deadline passed without connectivity state change'));
    setTimeout(late, Math.min(Math.max(0, untilMs), 2 ** 31 - 1)).unref();
  }

  getChannelzRef(): { readonly kind: 'channel'; readonly id: number; readonly name: string } {
    return { kind: 'channel', id: -1, name: this.getTarget() };
  }

  /** @throws HeddleError ERR_MESH_CLOSED once it is closed */
  createCall(method: string, deadline: Date | number, host?: string | null): JsCall {
    if (this.#isClosed) throw new HeddleError('ERR_MESH_CLOSED', `gRPC channel to ${this.#authority}`);
    return new MeshJsCall({
      port: this.#port,
      authority: host ?? this.#authority,
      path: method,
      deadlineMs: Number(deadline),
      number: ++this.#numbers,
      maxReceiveBytes: this.#maxReceiveBytes,
    });
  }
}
