import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { nearestWord } from '../../core/base/nearest-word.ts';
import { type TraceLine, traceTopics } from './trace-topics.ts';

/** Lines beyond this rate are counted instead: a trace of everything under load would be read by nobody. */
const maxLinesPerSecond = 5000;

/**
 * Writes what happens as readable lines, one a step: `HEDDLE_TRACE=route,pool`. The lines are subscribers of
 * `node:diagnostics_channel`, so where nothing is asked for, nothing is done.
 *
 * @param topics names divided by commas; `all` for all of them
 * @param write gets one line with its line break
 * @returns ends it
 */
export function beginTrace(topics: string, write: (line: string) => void): () => void {
  const names = topics.split(',').flatMap((each) => (each.trim() === '' ? [] : [each.trim()]));
  const limited = new LimitedLines(write);
  const listeners: [channel: string, listener: (message: unknown) => void][] = [];
  for (const name of names.includes('all') ? Object.keys(traceTopics) : names) {
    if (!Object.hasOwn(traceTopics, name)) {
      write(`HEDDLE_TRACE: ${unknownTopic(name)}\n`);
      continue;
    }
    for (const [channel, toLine] of Object.entries(traceTopics[name] as Record<string, TraceLine>)) {
      const listener = (message: unknown): void => {
        const text = toLine(message as never);
        if (text !== '') limited.write(`heddle:${name} ${text}`);
      };
      subscribe(channel, listener);
      listeners.push([channel, listener]);
    }
  }
  return () => {
    for (const [channel, listener] of listeners) unsubscribe(channel, listener);
  };
}

function unknownTopic(name: string): string {
  const near = nearestWord(name, Object.keys(traceTopics));
  const hint = near === null ? '' : `, did you mean "${near}"?`;
  return `no topic is named ${JSON.stringify(name)}${hint} Topics: ${Object.keys(traceTopics).join(', ')}, all`;
}

class LimitedLines {
  readonly #write: (line: string) => void;
  #second = 0;
  #written = 0;
  #left = 0;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  write(text: string): void {
    const now = new Date();
    const second = Math.floor(now.getTime() / 1000);
    if (second !== this.#second) this.#begin(second);
    if (this.#written++ < maxLinesPerSecond) this.#write(`${now.toISOString().slice(11, 23)} ${text}\n`);
    else this.#left++;
  }

  #begin(second: number): void {
    if (this.#left > 0) this.#write(`HEDDLE_TRACE: ${this.#left} lines left out\n`);
    this.#second = second;
    this.#written = this.#left = 0;
  }
}
