import type { Clock } from '../../core/base/clock.ts';
import { Stream, type StreamCore } from '../../core/contract/stream.ts';
import type { StreamEnd } from '../../core/contract/stream-end.ts';
import { LinkStream } from './flow.ts';
import type { Outcome } from './frame-writer.ts';
import type { ThreadLink } from './link.ts';

const keptStreams = 256;

/** A span that waits for the outcome of its stream. */
export interface OpenSpan {
  readonly span: unknown;
  readonly method: string;
  readonly protocol: string;
}

export interface AppCoreContext {
  readonly clock: Clock;
  /** Makes the position in the trace, and a span, where that is this thread's business; else false. */
  trace(s: Stream): boolean;
  /** The outcome of a stream whose span was made here. */
  endSpan(open: OpenSpan, outcome: Outcome): void;
  /** The first stream began, the last one ended. */
  busy(isBusy: boolean): void;
}

export interface Open extends LinkStream {
  /** Messages posted when it was written: with as many posted still, nothing of it has left. */
  written?: number;
  isHandler?: boolean;
}

/** The streams of the application's end of a link: which there are, and how many body bytes may cross. */
export abstract class AppStreams {
  readonly context: AppCoreContext;
  active = 0;
  /** Null while there is no worker. */
  protected link: ThreadLink | null = null;
  protected readonly open = new Map<number, Open>();
  readonly #pool: Stream[] = [];

  constructor(context: AppCoreContext) {
    this.context = context;
  }

  /** Streams in progress, as far as this thread knows them. */
  get streams(): Iterable<Stream> {
    return [...this.open.values()].map((each) => each.s);
  }

  /** The worker is there: streams go to it from now on. */
  attach(link: ThreadLink): void {
    this.link = link;
  }

  acquire(): Stream {
    return this.#pool.pop() ?? new Stream(this as unknown as StreamCore);
  }

  release(s: Stream): void {
    s.recycle();
    if (this.#pool.length < keptStreams) this.#pool.push(s);
  }

  /** The caller, or the handler, has room again. */
  writable(s: Stream, _end: StreamEnd): void {
    if (this.link !== null) this.open.get(s.upId)?.resumed(this.link.writer);
  }

  onCredit(id: number, bytes: number): void {
    const call = this.open.get(id);
    if (call === undefined || !call.granted(bytes)) return;
    const from = call.isHandler === true ? call.s.up : call.s.down;
    from?.resumeRead(call.s);
  }

  protected begin(s: Stream, id: number): Open {
    const call: Open = new LinkStream(s, id);
    this.open.set(id, call);
    if (this.active++ === 0) this.context.busy(true);
    if (this.link !== null) this.link.writer.isQuick = this.active <= 1;
    return call;
  }

  protected arrived(call: Open, bytes: number, hasRoom: boolean): void {
    if (!hasRoom) call.isPaused = true;
    if (this.link !== null) call.consumed(this.link.writer, bytes);
  }

  protected finish(s: Stream): void {
    if (this.open.delete(s.upId)) this.ended(s);
  }

  protected ended(s: Stream): void {
    if (--this.active === 0) this.context.busy(false);
    this.release(s);
  }
}
