/**
 * `node --import heddle/monitor app.js`: a monitor without a change of code. Settings come from HEDDLE_MONITOR (JSON,
 * the settings of `createMonitor`) and HEDDLE_PROFILES (the directory). What is wrong with them is said on stderr;
 * the application starts all the same. So it does on a Node.js that is too old for anything else of this package:
 * nothing is imported before that is known.
 */
import type { MonitorOptions } from './diagnostics/options.ts';

const needed = [22, 18] as const;

function checkNode(): void {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > needed[0] || (major === needed[0] && minor >= needed[1])) return;
  throw new Error(`Node.js ${needed.join('.')} or newer is needed, this is ${process.versions.node}`);
}

function readSettings(text: string): MonitorOptions {
  if (text === '') return {};
  try {
    return JSON.parse(text) as MonitorOptions;
  } catch (error) {
    throw new Error(`HEDDLE_MONITOR is no JSON: ${textOf(error)}`, { cause: error });
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function start(): Promise<void> {
  try {
    checkNode();
    const { isMainThread } = await import('node:worker_threads');
    if (!isMainThread) return;
    const { startMonitor } = await import('./diagnostics/monitor.ts');
    startMonitor(readSettings(process.env['HEDDLE_MONITOR'] ?? ''));
  } catch (error) {
    process.stderr.write(`heddle/monitor: ${textOf(error)}; the application runs without it\n`);
  }
}

await start();
