import type { LogFields, Logger, LogLevel } from '../../core/contract/logger.ts';
import type { LogLine } from './messages.ts';

const ranks: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, off: 4 };
/** Lines of one tick; more are dropped and counted. */
const maxLines = 256;

/** The worker's logger: gathers the lines of one tick and hands them over, so that they are written by the application's. */
export class PortLogger implements Logger {
  level: LogLevel;
  readonly #send: (lines: readonly LogLine[], dropped: number) => void;
  #lines: LogLine[] = [];
  #dropped = 0;

  /** @param send gets the lines of one tick and how many there were beyond the bound */
  constructor(level: LogLevel, send: (lines: readonly LogLine[], dropped: number) => void) {
    this.level = level;
    this.#send = send;
  }

  debug(message: string, fields?: LogFields): void {
    this.#add('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#add('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#add('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#add('error', message, fields);
  }

  /** Hands over what is there; at the end of the thread nobody else does. */
  flush(): void {
    if (this.#lines.length === 0) return;
    const lines = this.#lines;
    const dropped = this.#dropped;
    this.#lines = [];
    this.#dropped = 0;
    this.#send(lines, dropped);
  }

  #add(level: LogLine['level'], message: string, fields: LogFields | undefined): void {
    if (ranks[level] < ranks[this.level]) return;
    if (this.#lines.length >= maxLines) {
      this.#dropped++;
      return;
    }
    if (this.#lines.length === 0) setImmediate(() => this.flush());
    this.#lines.push({ level, message, fields });
  }
}

/** The application's side: writes the lines by its own logger. */
export function writeLines(logger: Logger, lines: readonly LogLine[], dropped: number): void {
  for (const { level, message, fields } of lines) {
    if (ranks[level] >= ranks[logger.level]) logger[level](message, fields);
  }
  if (dropped > 0) logger.warn('log lines of the worker thread were dropped', { dropped });
}
