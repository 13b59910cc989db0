import { type PackedError, packError, unpackError } from './errors.ts';

/** A question across the link, beside the streams. */
export interface ControlCall {
  readonly type: 'call';
  readonly id: number;
  readonly method: string;
  readonly argument: unknown;
}

export type ControlAnswer =
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly error: PackedError };

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** The asking end. */
export class ControlCalls {
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  /** @throws whatever the other end threw, or what `fail` is given */
  call(post: (message: object) => void, method: string, argument: unknown = null): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      post({ type: 'call', id, method, argument } satisfies ControlCall);
      this.#waiting.set(id, { resolve, reject });
    });
  }

  /** Takes an answer; false: it is something else. */
  take(message: unknown): boolean {
    const answer = message as ControlAnswer;
    if (answer.type !== 'answer' && answer.type !== 'failure') return false;
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.type === 'answer') waiting?.resolve(answer.value);
    else waiting?.reject(unpackError(answer.error));
    return true;
  }

  /** The other end is gone. */
  fail(error: () => unknown): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of all) reject(error());
  }
}

export type ControlMethods = Readonly<Record<string, (argument: never) => unknown>>;

/** The answering end: runs the method and posts what became of it. */
export function answerControl(
  call: ControlCall,
  methods: ControlMethods,
  post: (message: ControlAnswer) => void,
): void {
  const { id, method, argument } = call;
  const fail = (thrown: unknown): void => post({ type: 'failure', id, error: packError(thrown) });
  const run = async (): Promise<void> => {
    const found = methods[method] as ((argument: unknown) => unknown) | undefined;
    if (found === undefined) throw new Error(`no method ${method}`);
    post({ type: 'answer', id, value: (await found(argument)) ?? null });
  };
  run().catch(fail);
}
