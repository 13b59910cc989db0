import { setTimeout as delay } from 'node:timers/promises';
import { HeddleError } from '../../core/base/errors.ts';
import { connectInspector, type InspectorSocket } from './inspector-socket.ts';
import { holderOf, type Listeners, readListeners } from './listening-ports.ts';
import type { ProcessFacts } from './process-table.ts';

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
 * While another process has the port (somebody attaches to it just now) this waits for its turn.
 *
 * @param timeoutMs time for each step: on a busy machine all of them together take long, and each says that it goes on.
 * @throws HeddleError ERR_ATTACH_REFUSED when its inspector is open already, ERR_ATTACH_FAILED when a step takes longer.
 */
export async function openInspector(facts: ProcessFacts, timeoutMs: number): Promise<InspectorLink> {
  const { pid } = facts;
  const before = await freePort(facts, performance.now() + timeoutMs);
  signal(pid);
  const port = await newPort(facts, before, performance.now() + timeoutMs);
  try {
    const socket = await connectInspector(port, AbortSignal.timeout(timeoutMs));
    return createLink(pid, socket, timeoutMs);
  } catch (cause) {
    const detail = `the inspector of process ${pid} on port ${port} does not answer`;
    throw new HeddleError('ERR_ATTACH_FAILED', detail, { cause });
  }
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGUSR1');
  } catch (cause) {
    const isGone = (cause as NodeJS.ErrnoException).code === 'ESRCH';
    const detail = `process ${pid} ${isGone ? 'has ended' : 'takes no signal'}`;
    throw new HeddleError('ERR_ATTACH_FAILED', detail, { cause });
  }
}

/** Waits until nobody else has the port at which the process will listen. */
async function freePort({ pid, inspectPort }: ProcessFacts, deadlineMs: number): Promise<Listeners> {
  for (;;) {
    const now = readListeners(pid);
    if (inspectPort === 0) return now;
    if (now.own.has(inspectPort)) {
      const detail = `process ${pid} listens on port ${inspectPort} of its inspector already: it has a debugger`;
      throw new HeddleError('ERR_ATTACH_REFUSED', detail);
    }
    const inode = now.others.get(inspectPort);
    if (inode === undefined) return now;
    if (performance.now() > deadlineMs) throw portTaken(inspectPort, inode);
    await delay(pollMs);
  }
}

async function newPort(facts: ProcessFacts, before: Listeners, deadlineMs: number): Promise<number> {
  const { pid, inspectPort } = facts;
  let takenBy: string | undefined;
  while (performance.now() < deadlineMs) {
    const { own, others } = readListeners(pid);
    if (own.has(inspectPort)) return inspectPort;
    for (const port of own) if (!before.own.has(port)) return port;
    if (!isAlive(pid)) throw new HeddleError('ERR_ATTACH_FAILED', `process ${pid} has ended`);
    // Somebody was faster: the process has said "address already in use" and is asked again when the port is free.
    if (takenBy !== undefined && !others.has(inspectPort)) signal(pid);
    takenBy = others.get(inspectPort);
    await delay(pollMs);
  }
  if (takenBy !== undefined) throw portTaken(inspectPort, takenBy);
  throw new HeddleError(
    'ERR_ATTACH_FAILED',
    `process ${pid} opened no inspector port: it may have its own SIGUSR1 handler`,
  );
}

function portTaken(port: number, inode: string): HeddleError {
  const holder = holderOf(inode);
  const who = holder === undefined ? 'another process' : `process ${holder}`;
  return new HeddleError(
    'ERR_ATTACH_FAILED',
    `port ${port} of the inspector is taken by ${who} (NODE_OPTIONS=--inspect-port=0 avoids that)`,
  );
}

/**
 * A blocked process took the signal by an interrupt. Once its loop turns, the same signal arrives there as well and
 * opens the port again, so it is closed once more in the check phase of that turn (seen on Node 24).
 */
const closeExpression = `(() => {
  // Node before 20.16 knows \`getBuiltinModule\` not; an error in the callback would be the end of the process.
  const { url } = process.getBuiltinModule ? process.getBuiltinModule('node:inspector') : require('node:inspector');
  setImmediate(() => {
    if (url() !== undefined) process._debugEnd();
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

function createLink(pid: number, socket: InspectorSocket, timeoutMs: number): InspectorLink {
  const waiting = new Map<number, (answer: Answer | undefined) => void>();
  let nextId = 1;
  const endAll = (): void => {
    for (const answer of waiting.values()) answer(undefined);
    waiting.clear();
  };
  socket.onMessage((text) => {
    const answer = JSON.parse(text) as Answer;
    waiting.get(answer.id ?? 0)?.(answer);
    waiting.delete(answer.id ?? 0);
  });
  socket.onClose(endAll);
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
