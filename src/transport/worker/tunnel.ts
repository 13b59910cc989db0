import { Duplex } from 'node:stream';
import { Code, codeFacts, factsOf } from '../../core/base/codes.ts';
import { HeddleError } from '../../core/base/errors.ts';
import type { BatchWriter } from './batch-writer.ts';
import { FrameType, grantBytes, windowBytes } from './frame.ts';
import type { FrameView } from './frame-view.ts';
import { writeData, writeNumber } from './frame-writer.ts';

/** Ids of tunnels have this bit. */
const tunnelBit = 0x4000_0000;

/** One end of raw bytes across the link, with back-pressure and half-close both ways. */
export class TunnelDuplex extends Duplex {
  readonly id: number;
  readonly #writer: BatchWriter;
  readonly #onGone: () => void;
  #window: number = windowBytes;
  #owed = 0;
  #written: ((error?: Error | null) => void) | null = null;
  #isCut = false;

  constructor(id: number, writer: BatchWriter, onGone: () => void) {
    super({ allowHalfOpen: true, emitClose: true });
    this.id = id;
    this.#writer = writer;
    this.#onGone = onGone;
  }

  receive(frame: FrameView): void {
    const { body, bodyStart, bodyEnd } = frame;
    const bytes = bodyEnd - bodyStart;
    this.#owed += bytes;
    if (bytes > 0 && this.push(body.subarray(bodyStart, bodyEnd))) this.#grant();
    if (frame.isEnd) this.push(null);
  }

  granted(bytes: number): void {
    this.#window += bytes;
    if (this.#window <= 0) return;
    const written = this.#written;
    this.#written = null;
    written?.();
  }

  /** The other side is gone. */
  cut(code: number): void {
    this.#isCut = true;
    if (code === Code.none) this.destroy();
    else this.destroy(tunnelError(code));
  }

  override _read(): void {
    this.#grant();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    writeData(this.#writer, this.id, { buf: chunk, a: 0, b: chunk.length, isExclusive: false }, false);
    this.#window -= chunk.length;
    if (this.#window > 0) callback();
    else this.#written = callback;
  }

  override _final(callback: (error?: Error | null) => void): void {
    writeData(this.#writer, this.id, { buf: nothing, a: 0, b: 0, isExclusive: false }, true);
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#onGone();
    if (!this.#isCut) writeNumber(this.#writer, FrameType.reset, this.id, codeOf(error));
    callback(error);
  }

  #grant(): void {
    if (this.#owed < grantBytes || this.destroyed) return;
    writeNumber(this.#writer, FrameType.credit, this.id, this.#owed);
    this.#owed = 0;
  }
}

/** The tunnels of one end of a link. */
export class Tunnels {
  readonly #open = new Map<number, TunnelDuplex>();
  #lastId = 0;

  get size(): number {
    return this.#open.size;
  }

  isOne(id: number): boolean {
    return (id & tunnelBit) !== 0;
  }

  nextId(): number {
    return ++this.#lastId | tunnelBit;
  }

  /** The end of tunnel `id` on this side. @param onGone it is closed */
  open(id: number, writer: BatchWriter, onGone: () => void = () => {}): TunnelDuplex {
    const tunnel = new TunnelDuplex(id, writer, () => {
      this.#open.delete(id);
      onGone();
    });
    this.#open.set(id, tunnel);
    return tunnel;
  }

  onData(frame: FrameView): void {
    this.#open.get(frame.id)?.receive(frame);
  }

  onCredit(id: number, bytes: number): void {
    this.#open.get(id)?.granted(bytes);
  }

  onReset(id: number, code: number): void {
    this.#open.get(id)?.cut(code);
  }

  closeAll(code: number): void {
    for (const tunnel of [...this.#open.values()]) tunnel.cut(code);
  }
}

const nothing: Buffer = Buffer.alloc(0);

/** As a tunnel of this thread says it. */
function tunnelError(code: number): HeddleError {
  const facts = factsOf(code);
  return new HeddleError(facts.error, facts.name, { context: { reason: facts.name } });
}

function codeOf(error: Error | null): number {
  if (error === null) return Code.none;
  const { reason } = (error as Partial<HeddleError>).context ?? {};
  const code = codeFacts.findIndex((facts) => facts.name === reason);
  return code < 0 ? Code.aborted : code;
}
