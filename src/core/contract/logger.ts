export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'off';

/**
 * Injected. Standalone: JSON lines on stderr. In-process: silent unless the application gives one.
 * The same line (level + message) is written at most once a second and then carries `repeated: n`.
 */
export interface Logger {
  level: LogLevel;
  /** @param fields plain data; never secrets */
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export type LogFields = Readonly<Record<string, string | number | boolean | null>>;
