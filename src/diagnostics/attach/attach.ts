import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { HeddleError } from '../../core/base/errors.ts';
import { siblingUrl } from '../../core/base/sibling.ts';
import type { AgentAnswer, AgentOptions, Arrival } from './agent.ts';
import { holdSignals } from './hold-signals.ts';
import { openInspector } from './inspector-link.ts';
import { ageMsOf, type ProcessFacts, readProcess } from './process-table.ts';
import { refusalOf } from './refusal.ts';
import { RemoteControl } from './remote-control.ts';
import { controlSocketPath } from './socket-path.ts';

export interface AttachOptions {
  /** Time for each step: the inspector port appears, it answers, the agent is loaded, the agent answers. @default 5000 */
  readonly timeoutMs?: number;
  /** Settings of the monitor that is started in the process: `MonitorOptions` without functions. */
  readonly monitor?: AgentOptions;
}

export interface Attached {
  readonly control: RemoteControl;
  /** The process had a monitor already; its settings were left as they are. */
  readonly wasRunning: boolean;
  readonly tookMs: number;
}

const oldestNode = [22, 18] as const;
const startUpMs = 10_000;
/** What attaching itself costs the process is over by then. */
const afterAttachMs = 1500;

/**
 * Reaches the monitor of a running process, and starts one there if it has none: SIGUSR1, inspector port, one
 * evaluation that loads the agent, port closed. About 150 ms; works while the process is blocked in a loop.
 * @throws HeddleError ERR_ATTACH_REFUSED (nothing was done to the process), ERR_NODE_VERSION or ERR_ATTACH_FAILED
 */
export async function attach(pid: number, options: AttachOptions = {}): Promise<Attached> {
  const startMs = performance.now();
  const facts = readProcess(pid);
  if (facts === undefined) throw new HeddleError('ERR_ATTACH_REFUSED', `there is no process ${pid}`);
  const path = controlSocketPath(pid);
  const timeoutMs = options.timeoutMs ?? 5000;
  // Where nobody listens this fails at once. Who listens but has no time to answer has a monitor all the same.
  const running = existsSync(path)
    ? await RemoteControl.connect(path, timeoutMs).catch(() => undefined)
    : undefined;
  if (running !== undefined) {
    return { control: running, wasRunning: true, tookMs: performance.now() - startMs };
  }
  const refusal = refusalOf(facts);
  if (refusal !== undefined) throw new HeddleError('ERR_ATTACH_REFUSED', refusal);
  const how = await injectAgent(facts, { control: { listen: path }, ...options.monitor }, timeoutMs);
  const control = await connectSoon(path, pid, timeoutMs);
  return { control, wasRunning: how === 'joined', tookMs: performance.now() - startMs };
}

/**
 * Loads the agent in a process that has passed `refusalOf`. The inspector port is closed in every case.
 * @returns `joined` where the application has a monitor of its own, which answers from now on.
 */
export async function injectAgent(
  facts: ProcessFacts,
  options: AgentOptions,
  timeoutMs: number,
): Promise<Arrival> {
  const { pid } = facts;
  const release = holdSignals();
  const link = await openInspector(facts, timeoutMs).catch((thrown: unknown) => {
    release();
    throw thrown;
  });
  try {
    const settings = { warmUpMs: warmUpMsOf(facts), ...options };
    const answer = await link.evaluate<AgentAnswer | string>(loadExpression(settings));
    if (answer === 'started' || answer === 'joined') return answer;
    if (typeof answer !== 'string')
      throw new HeddleError(answer.failure.code, `process ${pid}: ${answer.failure.detail}`);
    const needed = oldestNode.join('.');
    throw new HeddleError(
      'ERR_NODE_VERSION',
      `process ${pid} runs Node.js ${answer}; ${needed} or newer is needed`,
    );
  } finally {
    await link.close();
    release();
  }
}

/** The rules are silent while a program starts; one that has run for long is not starting, and may be in trouble now. */
export function warmUpMsOf(facts: ProcessFacts, root = '/proc'): number {
  return Math.round(Math.max(afterAttachMs, startUpMs - ageMsOf(facts, root)));
}

/**
 * Gives what `startAgent` says, or the version of a process that is too old. One message: in a blocked process each waits for its turn.
 * Synchronous, since the loop of the process may stand still. Node 22 warns when it requires an ES module; that
 * warning must not land in the application's log.
 */
function loadExpression(options: AgentOptions): string {
  const agent = JSON.stringify(siblingUrl('./agent', import.meta.url));
  return `(() => {
    const [major, minor] = process.versions.node.split('.').map(Number);
    if (major < ${oldestNode[0]} || (major === ${oldestNode[0]} && minor < ${oldestNode[1]})) return process.versions.node;
    const { emitWarning } = process;
    process.emitWarning = () => {};
    try {
      const { createRequire } = process.getBuiltinModule('node:module');
      const { fileURLToPath } = process.getBuiltinModule('node:url');
      return createRequire(${agent})(fileURLToPath(${agent})).startAgent(${JSON.stringify(options)});
    } finally {
      process.emitWarning = emitWarning;
    }
  })()`;
}

async function connectSoon(path: string, pid: number, timeoutMs: number): Promise<RemoteControl> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const control = await RemoteControl.connect(path, timeoutMs).catch(() => undefined);
    if (control !== undefined) return control;
    if (performance.now() > deadlineMs) {
      throw new HeddleError('ERR_ATTACH_FAILED', `the agent in process ${pid} did not answer in time`);
    }
    await delay(10);
  }
}
