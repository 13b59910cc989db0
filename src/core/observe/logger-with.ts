import type { LogFields, Logger, LogLevel } from '../contract/logger.ts';

/** The same log, each line with these fields as well. */
export function loggerWith(logger: Logger, more: LogFields): Logger {
  return {
    get level(): LogLevel {
      return logger.level;
    },
    set level(level: LogLevel) {
      logger.level = level;
    },
    debug: (message, fields) => logger.debug(message, { ...more, ...fields }),
    info: (message, fields) => logger.info(message, { ...more, ...fields }),
    warn: (message, fields) => logger.warn(message, { ...more, ...fields }),
    error: (message, fields) => logger.error(message, { ...more, ...fields }),
  };
}
