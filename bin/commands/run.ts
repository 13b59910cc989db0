import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  createJsonLogger,
  type Logger,
  type LogLevel,
  type Standalone,
  type StandaloneMonitor,
  type Supervisor,
  startStandalone,
  startSupervisor,
} from '../../src/index.ts';

import { addConfigOptions, type ConfigOptions, fileOptions } from '../config-options.ts';

const defaultDrainMs = 30_000;
const longestDrainMs = 2_147_483_647;
const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'off'];

function milliseconds(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= longestDrainMs) return value;
  throw new InvalidArgumentError(`a whole number from 0 to ${longestDrainMs} is needed.`);
}

function workerCount(text: string): number | 'auto' {
  if (text === 'auto') return text;
  if (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= 256) return Number(text);
  throw new InvalidArgumentError('"auto" or a whole number from 1 to 256 is needed.');
}

/** What the proxy's monitor has where nothing else is said. */
const ownMonitor = { service: 'heddle', control: { listen: 'auto' } };

/** Settings of `createMonitor`. */
async function monitorSettings(rules: string | true): Promise<object> {
  const { readRulesFile } = await import('../monitor/options.ts');
  return rules === true ? ownMonitor : { ...ownMonitor, ...readRulesFile(rules).monitor };
}

/** Loaded only when asked for. What it has to tell goes to the log. */
async function startMonitor(settings: object, logger: Logger): Promise<StandaloneMonitor> {
  const { createMonitor, monitorMetrics, monitorSections } = await import('../../src/diagnostics/index.ts');
  const monitor = await createMonitor({
    ...ownMonitor,
    ...settings,
    onEvent: (event) => {
      if (event.type === 'problem') logger.warn('monitor', { problem: event.message });
      if (event.type !== 'capture') return;
      const { id, trigger } = event.capture;
      // One that somebody asked for is no sign of trouble.
      logger[trigger.rule === 'manual' ? 'info' : 'warn']('captured', { id, rule: trigger.rule });
    },
  });
  return {
    sections: monitorSections(monitor),
    metrics: async () => monitorMetrics(await monitor.status()),
    [Symbol.asyncDispose]: () => monitor.stop(),
  };
}

interface RunOptions extends ConfigOptions {
  readonly logLevel?: LogLevel;
  readonly drainMs: number;
  readonly watch: boolean;
  readonly json?: boolean;
  readonly monitor?: string | true;
  readonly workers?: number | 'auto';
}

/** A proxy in this process or in several: the same from outside. */
interface Running {
  readonly proxy: Standalone | Supervisor;
  readonly listeners: Readonly<Record<string, string>>;
  reopenLogs(): void;
}

async function startProxy(options: RunOptions, logger: Logger): Promise<Running> {
  const { workers, logLevel } = options;
  const settings = {
    configPath: options.config,
    ...fileOptions(options),
    logger,
    watches: options.watch,
    ...(logLevel === undefined ? {} : { logLevel }),
  };
  const monitor = options.monitor === undefined ? undefined : await monitorSettings(options.monitor);
  if (workers !== undefined) {
    const proxy = await startSupervisor({ ...settings, workers, ...(monitor && { monitor }) });
    return { proxy, listeners: proxy.addresses, reopenLogs: () => proxy.reopenLogs() };
  }
  const proxy = await startStandalone({
    ...settings,
    ownsProcess: true,
    startMonitor: (own) => startMonitor(own, logger),
    ...(monitor && { monitor }),
  });
  return { proxy, listeners: proxy.mesh.listeners.addresses, reopenLogs: () => proxy.mesh.reopenLogs() };
}

export function register(program: Command): void {
  const command = addConfigOptions(program.command('run').description('run the standalone proxy'));
  command
    .addOption(new Option('--log-level <level>', 'default: from the configuration').choices([...logLevels]))
    .option('--drain-ms <ms>', 'how long SIGTERM lets requests finish', milliseconds, defaultDrainMs)
    .option('--no-watch', 'reload on SIGHUP only, not when the file changes')
    .option('--workers <n>', 'so many processes share the connections; "auto": one a core', workerCount)
    .option('--monitor [rules]', 'profile this process when a rule fires, see "heddle watch"')
    .option('--json', 'print the addresses as one JSON line on stdout once everything listens')
    .addHelpText(
      'after',
      '\nSignals: SIGHUP reloads and opens access logs anew, SIGTERM drains, SIGINT drains once and stops when sent twice.\n\nExample:\n  heddle run --config heddle.yaml',
    )
    .action(async (options: RunOptions) => {
      const logger = createJsonLogger((line) => process.stderr.write(line), systemClock, options.logLevel);
      const running = await startProxy(options, logger);
      // Before anybody is told that it runs: who reads the line may signal at once.
      const stopped = untilStopped(running, options.drainMs);
      const { proxy, listeners } = running;
      logger.info('listening', { ...listeners, admin: proxy.adminAddress });
      if (options.json)
        console.log(JSON.stringify({ listeners, admin: proxy.adminAddress, pid: process.pid }));
      // The timers and the admin endpoint of a mesh keep no process alive, and a configuration may have no listeners.
      const alive = setInterval(() => {}, longestDrainMs);
      try {
        await stopped;
      } finally {
        clearInterval(alive);
      }
    });
}

const systemClock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimer: (delayMs: number, run: () => void) => {
    const timer = setTimeout(run, delayMs).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

function untilStopped({ proxy, reopenLogs }: Running, drainMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let isDraining = false;
    const drain = (): void => {
      if (isDraining) return;
      isDraining = true;
      proxy.drain(drainMs).then(resolve, reject);
    };
    process.on('SIGHUP', () => {
      reopenLogs();
      void proxy.reload();
    });
    process.on('SIGTERM', drain);
    process.on('SIGINT', () => {
      if (!isDraining) drain();
      else proxy.close().then(resolve, reject);
    });
    const { closed } = 'mesh' in proxy ? proxy.mesh : proxy;
    closed.then(resolve, reject);
  });
}
