import { Code } from '../../core/base/codes.ts';
import { messageOf } from '../../core/base/errors.ts';
import { GrpcStatus } from '../../core/base/grpc-status.ts';
import { formatGrpcTimeout } from '../../core/base/grpc-timeout.ts';
import { GrpcExchange, type GrpcOutcome } from '../../transport/grpc/exchange.ts';
import type { GrpcMetadata } from '../../transport/grpc/metadata.ts';
import type { MeshPort } from '../port.ts';
import type {
  JsCall,
  JsCallCredentials,
  JsListener,
  JsMessageContext,
  JsMetadata,
  JsStatus,
} from './js-types.ts';
import { startOn } from './port-client.ts';

/** Where a call goes. */
export interface JsTarget {
  readonly port: Pick<MeshPort, 'request'>;
  readonly authority: string;
  readonly path: string;
  /** Epoch ms; Infinity = none. */
  readonly deadlineMs: number;
  readonly number: number;
  readonly maxReceiveBytes: number;
}

/**
 * A call of @grpc/grpc-js that goes through the mesh. Messages are handed over one for each `startRead`; a status of OK
 * waits until all were, any other does not.
 */
export class MeshJsCall implements JsCall {
  readonly #target: JsTarget;
  readonly #exchange: GrpcExchange;
  #listener: JsListener | null = null;
  #metadata: JsMetadata | null = null;
  #credentials: JsCallCredentials | null = null;
  #messages: Buffer[] = [];
  #reads = 0;
  #isPaused = false;
  #status: GrpcOutcome | null = null;
  #isTold = false;
  /** Sends that came before credentials were there. */
  #early: (() => void)[] | null = null;
  /** Callers that wait until more may be written. */
  #writers: (() => void)[] = [];

  constructor(target: JsTarget) {
    this.#target = target;
    this.#exchange = new GrpcExchange(target.maxReceiveBytes, this);
  }

  start(metadata: JsMetadata, listener: JsListener): void {
    this.#listener = listener;
    this.#metadata = metadata;
    const credentials = this.#credentials;
    if (credentials === null) {
      this.#open(metadata);
      return;
    }
    this.#early = [];
    const { authority, path } = this.#target;
    const service_url = `https://${authority}${path.slice(0, path.lastIndexOf('/'))}`;
    credentials.generateMetadata({ service_url, method_name: path.slice(path.lastIndexOf('/') + 1) }).then(
      (more) => {
        const all = metadata.clone();
        all.merge(more);
        this.#open(all);
        const early = this.#early ?? [];
        this.#early = null;
        for (const run of early) run();
      },
      (thrown: unknown) => this.cancelWithStatus(GrpcStatus.unauthenticated, messageOf(thrown)),
    );
  }

  #open(metadata: JsMetadata): void {
    const { port, authority, path, deadlineMs } = this.#target;
    if (this.#exchange.isOver) return;
    const timeoutMs = deadlineMs - Date.now();
    if (timeoutMs <= 0) {
      this.#cancel(GrpcStatus.deadlineExceeded, 'Deadline exceeded');
      return;
    }
    const headers = headersOf(metadata);
    if (timeoutMs < Number.POSITIVE_INFINITY) headers['grpc-timeout'] = [formatGrpcTimeout(timeoutMs)];
    startOn(port, this.#exchange, authority, path, headers);
  }

  sendMessageWithContext(context: JsMessageContext, message: Buffer): void {
    if (this.#early !== null) {
      this.#early.push(() => this.sendMessageWithContext(context, message));
      return;
    }
    const isOpen = this.#exchange.isOver || this.#exchange.send(message);
    const { callback } = context;
    if (callback === undefined) return;
    if (isOpen) process.nextTick(callback);
    else this.#writers.push(callback);
  }

  halfClose(): void {
    if (this.#early === null) this.#exchange.end();
    else this.#early.push(() => this.#exchange.end());
  }

  startRead(): void {
    this.#reads++;
    this.#deliver();
  }

  cancelWithStatus(status: number, details: string): void {
    this.#cancel(status, details);
  }

  #cancel(status: number, details: string): void {
    this.#exchange.cancel(Code.aborted, status, details);
  }

  getPeer(): string {
    return this.#target.authority;
  }

  getCallNumber(): number {
    return this.#target.number;
  }

  setCredentials(credentials: JsCallCredentials): void {
    this.#credentials = credentials;
  }

  getAuthContext(): null {
    return null;
  }

  // ---- ExchangeListener ------------------------------------------------------------------------------------------

  onMetadata(metadata: GrpcMetadata): void {
    this.#listener?.onReceiveMetadata(this.#toJs(metadata));
  }

  onMessage(message: Buffer): void {
    this.#messages.push(message);
    this.#deliver();
    if (this.#messages.length > 0 && !this.#isPaused) {
      this.#isPaused = true;
      this.#exchange.pauseRead();
    }
  }

  onWritable(): void {
    const writers = this.#writers;
    this.#writers = [];
    for (const write of writers) write();
  }

  onOutcome(outcome: GrpcOutcome): void {
    this.#status = outcome;
    this.onWritable();
    // Not from within the call that caused it.
    process.nextTick(() => this.#deliver());
  }

  #deliver(): void {
    while (this.#reads > 0) {
      const message = this.#messages.shift();
      if (message === undefined) break;
      this.#reads--;
      this.#listener?.onReceiveMessage(message);
    }
    if (this.#isPaused && this.#messages.length === 0) {
      this.#isPaused = false;
      this.#exchange.resumeRead();
    }
    const status = this.#status;
    if (status === null || this.#isTold) return;
    if (status.status === GrpcStatus.ok && this.#messages.length > 0) return;
    this.#isTold = true;
    this.#listener?.onReceiveStatus(this.#toStatus(status));
  }

  #toStatus(outcome: GrpcOutcome): JsStatus {
    return { code: outcome.status, details: outcome.message, metadata: this.#toJs(outcome.trailers) };
  }

  /** Metadata of the program's own package: of the class that it sent. */
  #toJs(metadata: GrpcMetadata): JsMetadata {
    const Metadata = (this.#metadata as JsMetadata).constructor as new () => JsMetadata;
    const made = new Metadata();
    for (const [name, value] of metadata)
      made.add(name, typeof value === 'string' ? value : Buffer.from(value));
    return made;
  }
}

function headersOf(metadata: JsMetadata): Record<string, string[]> {
  const headers: Record<string, string[]> = {
    'content-type': ['application/grpc'],
    te: ['trailers'],
    'grpc-accept-encoding': ['identity'],
    'user-agent': ['grpc-node-heddle'],
  };
  const given = metadata.toHttp2Headers();
  for (const name of Object.keys(given)) {
    const value = given[name];
    if (value === undefined || name in headers) continue;
    headers[name] = typeof value === 'object' ? value.map(String) : [String(value)];
  }
  return headers;
}
