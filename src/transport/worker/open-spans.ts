import type { Stream } from '../../core/contract/stream.ts';
import type { AppCoreContext, OpenSpan } from './app-streams.ts';
import type { Outcome } from './frame-writer.ts';

export const noOutcome: Omit<Outcome, 'code'> = { tries: 0, status: 0, route: '', cluster: '', host: '' };

/** Spans that were begun on the application's thread and wait for what the worker says of the ends of their streams. */
export class OpenSpans {
  readonly #context: Pick<AppCoreContext, 'endSpan'>;
  readonly #open = new Map<number, OpenSpan>();

  constructor(context: Pick<AppCoreContext, 'endSpan'>) {
    this.#context = context;
  }

  /** The span of the stream, which has this number. */
  add(id: number, { span, req, protocol }: Stream): void {
    this.#open.set(id, { span, method: req.method, protocol });
  }

  end(id: number, outcome: Outcome): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    this.#context.endSpan(open, outcome);
  }

  /** The worker is gone, and will say nothing of them. */
  endAll(code: number): void {
    for (const id of [...this.#open.keys()]) this.end(id, { ...noOutcome, code });
  }
}
