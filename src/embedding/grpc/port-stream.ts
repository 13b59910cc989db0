import { Code, codeFacts } from '../../core/base/codes.ts';
import { HeddleError } from '../../core/base/errors.ts';
import { GrpcStatus, grpcStatusOfCode } from '../../core/base/grpc-status.ts';
import { HeadView } from '../../core/base/head-view.ts';
import type { CallOptions } from '../../core/stream/start-call.ts';
import type { Carrier, GrpcExchange } from '../../transport/grpc/exchange.ts';
import type { CallAnswer, FieldList, MeshPort } from '../port.ts';

/** Bytes that may wait for the upstream before the sender is told to stop. */
const highWaterBytes = 64 * 1024;
const nothing: Buffer = Buffer.alloc(0);

/** One call of gRPC as a request of the mesh: filters, routes, balancers, retries and logs see it as any other. */
export class PortStream implements Carrier {
  readonly #port: Pick<MeshPort, 'request'>;
  readonly #exchange: GrpcExchange;
  readonly #abort = new AbortController();
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #isEnded = false;
  #isFull = false;
  #wakeSender: (() => void) | null = null;
  #isPaused = false;
  #wakeReader: (() => void) | null = null;

  constructor(port: Pick<MeshPort, 'request'>, exchange: GrpcExchange) {
    this.#port = port;
    this.#exchange = exchange;
  }

  /** Begins in a moment: a call of one message then leaves in one piece. */
  open(request: Pick<CallOptions, 'authority' | 'path' | 'headers'>): void {
    queueMicrotask(() => {
      if (!this.#exchange.isOver) void this.#run(request);
    });
  }

  send(bytes: Buffer, end: boolean): boolean {
    if (bytes.length > 0) this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#isEnded = end;
    this.#wakeSender?.();
    this.#isFull = this.#queuedBytes > highWaterBytes;
    return !this.#isFull;
  }

  cancel(): void {
    this.#abort.abort();
    this.#wakeSender?.();
    this.#wakeReader?.();
  }

  pauseRead(): void {
    this.#isPaused = true;
  }

  resumeRead(): void {
    this.#isPaused = false;
    this.#wakeReader?.();
  }

  async #run(request: Pick<CallOptions, 'authority' | 'path' | 'headers'>): Promise<void> {
    const isWhole = this.#isEnded && this.#queue.length <= 1;
    const body = isWhole ? (this.#queue[0] ?? null) : this.#messages();
    const { signal } = this.#abort;
    try {
      const answer = await this.#port.request({ ...request, method: 'POST', body, signal });
      await this.#read(answer);
    } catch (thrown) {
      this.#failed(thrown);
    }
  }

  async *#messages(): AsyncGenerator<Buffer, void, void> {
    for (;;) {
      const bytes = this.#queue.shift();
      if (bytes !== undefined) {
        this.#queuedBytes -= bytes.length;
        yield bytes;
        if (this.#isFull && this.#queuedBytes === 0) {
          this.#isFull = false;
          this.#exchange.writable();
        }
      } else if (this.#isEnded || this.#exchange.isOver) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wakeSender = resolve;
        });
      }
    }
  }

  async #read(answer: CallAnswer): Promise<void> {
    const exchange = this.#exchange;
    const head = headOf(answer.headers);
    head.status = answer.status;
    const complete = answer.body.complete;
    const isBare = complete !== null && complete.length === 0 && answer.trailers === null;
    exchange.head(head, null, 0, 0, isBare || head.has('grpc-status'), true);
    if (complete !== null) {
      if (complete.length > 0) exchange.data(toBuffer(complete), 0, complete.length, false, true);
    } else {
      for await (const chunk of answer.body) {
        if (exchange.isOver) break;
        exchange.data(toBuffer(chunk), 0, chunk.length, false, true);
        while (this.#isPaused && !exchange.isOver) await this.#resumed();
      }
    }
    if (answer.trailers === null) exchange.data(nothing, 0, 0, true, true);
    else exchange.trailers(headOf(answer.trailers));
  }

  #resumed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeReader = resolve;
    });
  }

  #failed(thrown: unknown): void {
    const reason = thrown instanceof HeddleError ? thrown.context['reason'] : undefined;
    const code = codeFacts.findIndex((each) => each.name === reason);
    if (code > Code.none) this.#exchange.lost(code, grpcStatusOfCode(code));
    else {
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      this.#exchange.cancel(Code.aborted, GrpcStatus.internal, message);
    }
  }
}

const toBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function headOf(fields: FieldList): HeadView {
  if (fields instanceof HeadView) return fields;
  const head = new HeadView();
  fields.forEach((name, value) => {
    head.add(name, value);
  });
  return head;
}
