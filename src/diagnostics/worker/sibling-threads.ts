import type { InspectorSession } from '../../core/contract/profile-kind.ts';

export interface SiblingThread {
  readonly threadId: number;
  readonly threadName: string;
  readonly session: InspectorSession;
}

interface WorkerInfo {
  /** Counted anew in each session: it is no thread id. */
  readonly workerId: string;
  /** `[worker 5] name`, with the thread id (Node 22 to 26). */
  readonly title: string;
  readonly url: string;
}
interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** Threads profiled at once; the rest of a large pool is left alone. */
const maxThreads = 16;

/**
 * The other worker threads of the application, reached through the main thread's session (`NodeWorker` domain).
 * The monitor's own threads are left out. They are attached only for the time of `use`.
 */
export async function withSiblings<Result>(
  main: InspectorSession,
  isOwn: (url: string, threadId: number) => boolean,
  use: (threads: readonly SiblingThread[]) => Promise<Result>,
): Promise<Result> {
  const threads: SiblingThread[] = [];
  const links = new Map<string, SessionLink>();
  const stopAttached = main.on('NodeWorker.attachedToWorker', (message) => {
    const { sessionId, workerInfo } = message as { sessionId: string; workerInfo: WorkerInfo };
    const { threadId, threadName } = identify(workerInfo);
    if (isOwn(workerInfo.url, threadId) || threads.length >= maxThreads) return;
    const link = new SessionLink(main, sessionId);
    links.set(sessionId, link);
    threads.push({ threadId, threadName, session: link });
  });
  const stopMessages = main.on('NodeWorker.receivedMessageFromWorker', (message) => {
    const { sessionId, message: text } = message as { sessionId: string; message: string };
    links.get(sessionId)?.receive(JSON.parse(text) as Answer);
  });
  const stopDetached = main.on('NodeWorker.detachedFromWorker', (message) => {
    links.get((message as { sessionId: string }).sessionId)?.close();
  });
  try {
    await main.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
    return await use(threads.sort((a, b) => a.threadId - b.threadId));
  } finally {
    await main.post('NodeWorker.disable').catch(() => {});
    for (const link of links.values()) link.close();
    stopAttached();
    stopMessages();
    stopDetached();
  }
}

/**
 * `threadId` of node:worker_threads stands in the title, `[worker 3] name`: `workerId` counts what sessions have met.
 * The name that Node gives a worker without one is left out.
 */
export function identify({ workerId, title }: Pick<WorkerInfo, 'workerId' | 'title'>): {
  readonly threadId: number;
  readonly threadName: string;
} {
  const [, id = workerId, name = ''] = /^\[worker (\d+)\]\s*(.*)$/s.exec(title) ?? [];
  const isNamed = name !== '' && name !== 'WorkerThread';
  return { threadId: Number(id), threadName: `worker ${id}${isNamed ? ` (${name})` : ''}` };
}

/** One worker's protocol wrapped into messages of the main session. */
class SessionLink implements InspectorSession {
  readonly #main: InspectorSession;
  readonly #sessionId: string;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(reason: Error): void }>();
  readonly #listeners = new Map<string, Set<(params: unknown) => void>>();
  #nextId = 1;
  #isClosed = false;

  constructor(main: InspectorSession, sessionId: string) {
    this.#main = main;
    this.#sessionId = sessionId;
  }

  async post<Result>(method: string, params: object = {}): Promise<Result> {
    // The main thread takes messages for a thread that has ended; nobody would ever answer.
    if (this.#isClosed) throw threadEnded();
    const id = this.#nextId++;
    const answered = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    const message = JSON.stringify({ id, method, params });
    answered.catch(() => {});
    await this.#main.post('NodeWorker.sendMessageToWorker', { message, sessionId: this.#sessionId });
    return (await answered) as Result;
  }

  on(event: string, listener: (params: unknown) => void): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  receive(answer: Answer): void {
    if (answer.id === undefined) {
      for (const listener of this.#listeners.get(answer.method ?? '') ?? []) listener(answer.params);
      return;
    }
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.error !== undefined) waiting?.reject(new Error(answer.error.message));
    else waiting?.resolve(answer.result);
  }

  close(): void {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.values()) reject(threadEnded());
    this.#waiting.clear();
  }
}

const threadEnded = (): Error => new Error('the worker thread has ended');
