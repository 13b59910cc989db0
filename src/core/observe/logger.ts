import type { Clock, Timer } from '../base/clock.ts';
import type { LogFields, Logger, LogLevel } from '../contract/logger.ts';

const ranks: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, off: 4 };
const repeatMs = 1000;
/** Different lines remembered within one second; the oldest is let go beyond that. */
const maxRemembered = 512;

interface Remembered {
  readonly level: LogLevel;
  readonly message: string;
  /** Of the last one held back. */
  fields: LogFields | undefined;
  repeated: number;
  readonly timer: Timer;
}

/** For in-process use without a logger: takes everything, writes nothing. */
export const silentLogger: Logger = Object.freeze({
  get level(): LogLevel {
    return 'off';
  },
  set level(_: LogLevel) {},
  debug() {},
  info() {},
  warn() {},
  error() {},
});

/**
 * Writes JSON lines: `{"time":"...","level":"warn","message":"...",...fields}`. A message should be constant and its
 * variable parts fields: the same level and message is written at once, then held back for a second, and what was
 * held back comes as one line with `repeated` and the fields of the last. A writer that throws loses the line.
 *
 * @param write gets one line with its line break
 */
export function createJsonLogger(
  write: (line: string) => void,
  clock: Clock,
  level: LogLevel = 'info',
): Logger {
  return new JsonLogger(write, clock, level);
}

class JsonLogger implements Logger {
  level: LogLevel;
  readonly #write: (line: string) => void;
  readonly #clock: Clock;
  readonly #remembered = new Map<string, Remembered>();

  constructor(write: (line: string) => void, clock: Clock, level: LogLevel) {
    this.#write = write;
    this.#clock = clock;
    this.level = level;
  }

  debug(message: string, fields?: LogFields): void {
    this.#log('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#log('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#log('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#log('error', message, fields);
  }

  #log(level: LogLevel, message: string, fields: LogFields | undefined): void {
    if (ranks[level] < ranks[this.level]) return;
    const key = `${level} ${message}`;
    const known = this.#remembered.get(key);
    if (known !== undefined) {
      known.repeated++;
      known.fields = fields;
      return;
    }
    if (this.#remembered.size >= maxRemembered) this.#forgetOldest();
    const timer = this.#clock.setTimer(repeatMs, () => this.#forget(key));
    this.#remembered.set(key, { level, message, fields: undefined, repeated: 0, timer });
    this.#emit(level, message, fields, 0);
  }

  #forgetOldest(): void {
    for (const key of this.#remembered.keys()) {
      this.#forget(key);
      return;
    }
  }

  #forget(key: string): void {
    const known = this.#remembered.get(key);
    if (known === undefined) return;
    known.timer.cancel();
    this.#remembered.delete(key);
    if (known.repeated === 0) return;
    this.#emit(known.level, known.message, known.fields, known.repeated);
    // A line that goes on repeating stays held back: one line a second, whatever the rate.
    const timer = this.#clock.setTimer(repeatMs, () => this.#forget(key));
    this.#remembered.set(key, { ...known, fields: undefined, repeated: 0, timer });
  }

  #emit(level: LogLevel, message: string, fields: LogFields | undefined, repeated: number): void {
    const time = new Date(this.#clock.wallNow()).toISOString();
    const line: Record<string, unknown> = { time, level, message };
    for (const name of Object.keys(fields ?? {})) {
      line[name in line || name === 'repeated' ? `field_${name}` : name] = fields?.[name];
    }
    const whole = repeated > 0 ? { ...line, repeated } : line;
    try {
      this.#write(`${JSON.stringify(whole)}\n`);
    } catch {
      // There is nowhere left to say so.
    }
  }
}
