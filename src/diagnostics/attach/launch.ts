import { type ChildProcess, spawn } from 'node:child_process';
import { HeddleError } from '../../core/base/errors.ts';
import { siblingUrl } from '../../core/base/sibling.ts';
import type { AgentOptions } from './agent.ts';

export interface LaunchOptions {
  /** Settings of the monitor in the process and in every Node.js process it starts. */
  readonly monitor?: AgentOptions;
  readonly env?: NodeJS.ProcessEnv;
}

export interface Launched {
  readonly child: ChildProcess;
  /** How it ended: exactly one of the two is set. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/** Passed on to the process; SIGUSR1 stays Node's own. */
const passedOn: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGUSR2', 'SIGCONT', 'SIGINT', 'SIGQUIT'];
/** A terminal sends these to the whole group, so the process has them already. */
const fromTerminal: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT']);

/**
 * Starts a command with the monitor preloaded: by absolute URL in NODE_OPTIONS, so that it is found from any
 * directory and inherited by children. Standard streams are the caller's own; signals are passed on.
 * @throws HeddleError ERR_ATTACH_FAILED when the command cannot be started.
 */
export async function launch(
  command: string,
  args: readonly string[],
  options: LaunchOptions = {},
): Promise<Launched> {
  const env = preloadEnvironment(options.env ?? process.env, options.monitor ?? {});
  const child = spawn(command, args, { stdio: 'inherit', env });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      reject(
        new HeddleError('ERR_ATTACH_FAILED', `"${command}" cannot be started: ${cause.message}`, { cause }),
      );
    });
  });
  const stopPassing = passSignals(child);
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => {
      stopPassing();
      resolve({ code, signal });
    });
  });
  return { child, ended };
}

/** The environment that loads the monitor in a Node.js process and all its Node.js children. */
export function preloadEnvironment(env: NodeJS.ProcessEnv, monitor: AgentOptions): NodeJS.ProcessEnv {
  const preload = `--import ${siblingUrl('../../monitor', import.meta.url)}`;
  const before = env['NODE_OPTIONS'] ?? '';
  return {
    ...env,
    NODE_OPTIONS: before.includes(preload) ? before : `${before} ${preload}`.trim(),
    HEDDLE_MONITOR: JSON.stringify({ ...settingsOf(env['HEDDLE_MONITOR']), ...monitor }),
  };
}

/** What the caller's environment says stays, where nothing else is asked for. */
function settingsOf(text: string | undefined): object {
  try {
    const parsed: unknown = JSON.parse(text ?? '{}');
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch (cause) {
    throw new HeddleError('ERR_OPTION_INVALID', `HEDDLE_MONITOR is no JSON: ${text}`, { cause });
  }
}

function passSignals(child: ChildProcess): () => void {
  const handlers = passedOn.map((signal) => {
    const handler = (): void => {
      if (process.stdin.isTTY && fromTerminal.has(signal)) return;
      child.kill(signal);
    };
    process.on(signal, handler);
    return () => void process.off(signal, handler);
  });
  return () => {
    for (const stop of handlers) stop();
  };
}
