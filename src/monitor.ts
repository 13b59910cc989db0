/**
 * `node --import heddle/monitor app.js`: a monitor without a change of code. Settings come from HEDDLE_MONITOR (JSON,
 * the settings of `createMonitor`) and HEDDLE_PROFILES (the directory). What is wrong with them is said on stderr;
 * the application starts all the same.
 */
import { isMainThread } from 'node:worker_threads';
import { messageOf } from './core/base/errors.ts';
import { startMonitor } from './diagnostics/monitor.ts';
import type { MonitorOptions } from './diagnostics/options.ts';

function readSettings(text: string): MonitorOptions {
  if (text === '') return {};
  try {
    return JSON.parse(text) as MonitorOptions;
  } catch (error) {
    throw new Error(`HEDDLE_MONITOR is no JSON: ${messageOf(error)}`, { cause: error });
  }
}

function start(): void {
  try {
    startMonitor(readSettings(process.env['HEDDLE_MONITOR'] ?? ''));
  } catch (error) {
    process.stderr.write(`heddle/monitor: ${messageOf(error)}; the application runs without it\n`);
  }
}

if (isMainThread) start();
