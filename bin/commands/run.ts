import type { Command } from 'commander';
import { createJsonLogger, type LogLevel, type Standalone, startStandalone } from '../../src/index.ts';

const defaultDrainMs = 30_000;

interface RunOptions {
  readonly config: string;
  readonly logLevel?: LogLevel;
  readonly drainMs: string;
  readonly watch: boolean;
  readonly json?: boolean;
}

export function register(program: Command): void {
  program
    .command('run')
    .description('run the standalone proxy')
    .option('-c, --config <file>', 'YAML or JSON', 'heddle.yaml')
    .option('--log-level <level>', 'debug, info, warn, error or off (default: from the configuration)')
    .option('--drain-ms <ms>', 'how long SIGTERM lets requests finish', String(defaultDrainMs))
    .option('--no-watch', 'reload on SIGHUP only, not when the file changes')
    .option('--json', 'print the addresses as one JSON line on stdout once everything listens')
    .addHelpText(
      'after',
      '\nSignals: SIGHUP reloads, SIGTERM drains, SIGINT drains once and stops when sent twice.\n\nExample:\n  heddle run --config heddle.yaml',
    )
    .action(async (options: RunOptions) => {
      const logger = createJsonLogger((line) => process.stderr.write(line), systemClock, options.logLevel);
      const standalone = await startStandalone({
        configPath: options.config,
        logger,
        watches: options.watch,
        ...(options.logLevel === undefined ? {} : { logLevel: options.logLevel }),
      });
      const listeners = standalone.mesh.listeners.addresses;
      logger.info('listening', { ...listeners, admin: standalone.adminAddress });
      if (options.json)
        console.log(JSON.stringify({ listeners, admin: standalone.adminAddress, pid: process.pid }));
      await untilStopped(standalone, Number(options.drainMs));
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

function untilStopped(standalone: Standalone, drainMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let isDraining = false;
    const drain = (): void => {
      if (isDraining) return;
      isDraining = true;
      standalone.drain(drainMs).then(resolve, reject);
    };
    process.on('SIGHUP', () => void standalone.reload());
    process.on('SIGTERM', drain);
    process.on('SIGINT', () => {
      if (!isDraining) drain();
      else standalone.close().then(resolve, reject);
    });
    standalone.mesh.closed.then(resolve, reject);
  });
}
