/**
 * `node --import heddle/monitor app.js`: a monitor without a change of code. Settings come from HEDDLE_MONITOR (JSON,
 * the settings of `createMonitor`) and HEDDLE_PROFILES (the directory). What is wrong with them is said on stderr;
 * the application starts all the same.
 */
import { isMainThread } from 'node:worker_threads';
import { messageOf } from './core/base/errors.ts';
import { startMonitor } from './diagnostics/monitor.ts';
import type { MonitorOptions } from './diagnostics/options.ts';

function start(): void {
  try {
    const text = process.env['HEDDLE_MONITOR'] ?? '';
    startMonitor(text === '' ? {} : (JSON.parse(text) as MonitorOptions));
  } catch (error) {
    process.stderr.write(`heddle/monitor: ${messageOf(error)}; the application runs without it\n`);
  }
}

if (isMainThread) start();
