import { setTimeout as delay } from 'node:timers/promises';
import { HeddleError } from '../../core/base/errors.ts';
import { listeningPorts } from './listening-ports.ts';

const pollMs = 5;

/** A session with the inspector port of another process, for as long as it takes to hand something over. */
export interface InspectorLink {
  /** Evaluates an expression there, also while that process is blocked, and returns its JSON-safe value. */
  evaluate<Value>(expression: string): Promise<Value>;
  /** Closes the inspector port of the process and the connection. */
  close(): Promise<void>;
}

/**
 * Asks a process by SIGUSR1 to open its inspector (on loopback only) and connects. The caller has made sure that
 * the process is Node.js and catches the signal; only a port that appears after the signal is ever connected to.
 *
 * @param timeoutMs time for each step: on a busy machine all of them together take long, and each says that it goes on.
 * @throws HeddleError ERR_ATTACH_FAILED when a step takes longer.
 */
export async function openInspector(pid: number, timeoutMs: number): Promise<InspectorLink> {
  const before = listeningPorts(pid);
  signal(pid);
  const port = await newPort(pid, before, performance.now() + timeoutMs);
  const socket = await connect(port, timeoutMs);
  return createLink(pid, socket, timeoutMs);
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGUSR1');
  } catch (cause) {
    const isGone = (cause as NodeJS.ErrnoException).code === 'ESRCH';
    throw new HeddleError(
      'ERR_ATTACH_FAILED',
      isGone ? `process ${pid} has ended` : `process ${pid} takes no signal`,
      {
        cause,
      },
    );
  }
}

async function newPort(pid: number, before: ReadonlySet<number>, deadlineMs: number): Promise<number> {
  while (performance.now() < deadlineMs) {
    for (const port of listeningPorts(pid)) if (!before.has(port)) return port;
    if (!isAlive(pid)) throw new HeddleError('ERR_ATTACH_FAILED', `process ${pid} has ended`);
    await delay(pollMs);
  }
  throw new HeddleError(
    'ERR_ATTACH_FAILED',
    `process ${pid} opened no inspector port: it may have its own SIGUSR1 handler, a debugger already, or port 9229 is taken by another process (NODE_OPTIONS=--inspect-port=0 avoids that)`,
  );
}

async function connect(port: number, timeoutMs: number): Promise<WebSocket> {
  const signalEnd = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/json/list`, { signal: signalEnd });
    const [target] = (await answer.json()) as { readonly webSocketDebuggerUrl?: string }[];
    if (target?.webSocketDebuggerUrl === undefined) throw new Error('somebody else is connected to it');
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onerror = () => reject(new Error('the connection was refused'));
      signalEnd.onabort = () => reject(new Error('no answer in time'));
    });
    return socket;
  } catch (cause) {
    throw new HeddleError('ERR_ATTACH_FAILED', `the inspector on port ${port} does not answer`, { cause });
  }
}

/**
 * A blocked process took the signal by an interrupt. Once its loop turns, the same signal arrives there as well and
 * opens the port again, so it is closed once more in the check phase of that turn (seen on Node 24).
 */
const closeExpression = `(() => {
  setImmediate(() => {
    if (process.getBuiltinModule('node:inspector').url() !== undefined) process._debugEnd();
  });
  process._debugEnd();
})()`;

interface Answer {
  readonly id?: number;
  readonly error?: { readonly message: string };
  readonly result?: {
    readonly result?: { readonly value?: unknown };
    readonly exceptionDetails?: {
      readonly text: string;
      readonly exception?: { readonly description?: string };
    };
  };
}

function createLink(pid: number, socket: WebSocket, timeoutMs: number): InspectorLink {
  const waiting = new Map<number, (answer: Answer | undefined) => void>();
  let nextId = 1;
  const endAll = (): void => {
    for (const answer of waiting.values()) answer(undefined);
    waiting.clear();
  };
  socket.onmessage = ({ data }) => {
    const answer = JSON.parse(String(data)) as Answer;
    waiting.get(answer.id ?? 0)?.(answer);
    waiting.delete(answer.id ?? 0);
  };
  socket.onclose = endAll;
  const send = async (expression: string): Promise<Answer | undefined> => {
    const id = nextId++;
    const timer = setTimeout(endAll, timeoutMs);
    const answered = new Promise<Answer | undefined>((resolve) => waiting.set(id, resolve));
    // The command-line API is what makes `require` visible; `await` would need the loop, which may be blocked.
    const params = { expression, returnByValue: true, includeCommandLineAPI: true, silent: true };
    socket.send(JSON.stringify({ id, method: 'Runtime.evaluate', params }));
    return answered.finally(() => clearTimeout(timer));
  };
  return {
    evaluate: async <Value>(expression: string) => {
      const answer = await send(expression);
      const thrown = answer?.result?.exceptionDetails;
      const reason =
        answer === undefined
          ? 'no answer in time'
          : (answer.error?.message ?? thrown?.exception?.description ?? thrown?.text);
      if (reason !== undefined) throw new HeddleError('ERR_ATTACH_FAILED', `process ${pid}: ${reason}`);
      return answer?.result?.result?.value as Value;
    },
    close: async () => {
      // The port closes before the answer can be sent: the end of the connection is the answer.
      await send(closeExpression).catch(() => {});
      socket.close();
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
