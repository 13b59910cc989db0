import type { Clock } from '../../base/clock.ts';
import type { LogOutputs } from '../../contract/log-output.ts';
import type { Metrics } from '../../contract/metrics.ts';
import type { AccessLog } from '../../contract/pipeline.ts';
import type { Stream } from '../../contract/stream.ts';
import { checkJsonTemplate, compileJson, type JsonTemplate } from './json-format.ts';
import { compileText, type LineFormat } from './line-format.ts';
import { LogBatch, maxLineBytes } from './log-batch.ts';
import { defaultFormat, envoyFormat } from './operators.ts';
import { parseFormat } from './parse-format.ts';
import { mosnFormat } from './variables.ts';

const readyMade: Readonly<Record<string, string>> = {
  heddle: defaultFormat,
  envoy: envoyFormat,
  mosn: mosnFormat,
};

/** What is wrong with the format of an entry, one sentence each; for the configuration's own check. */
export function checkAccessLogFormat(options: Pick<AccessLogOptions, 'format' | 'json'>): readonly string[] {
  const { format = 'heddle', json } = options;
  if (json !== undefined) {
    return options.format === undefined ? checkJsonTemplate(json) : ['give "format" or "json", not both'];
  }
  return Object.hasOwn(readyMade, format) ? [] : parseFormat(format).problems;
}

/** One entry of `accessLog` in the configuration. */
export interface AccessLogOptions {
  /** "stdout", "stderr" or a file. */
  readonly path: string;
  /** Text with operators, or the name of a ready-made one: `heddle`, `envoy`, `mosn` ("heddle"). */
  readonly format?: string | undefined;
  /** A JSON line instead of text. */
  readonly json?: JsonTemplate | undefined;
}

export interface AccessLogContext {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logs: LogOutputs;
}

/**
 * An access log: one line per stream, gathered and written in batches.
 *
 * @throws HeddleError ERR_CONFIG_INVALID for a format with problems, ERR_OPTION_INVALID for a path that cannot be opened
 * @example
 * createAccessLog({ path: 'stdout', format: '%REQ(:METHOD)% %RESPONSE_CODE% %DURATION%' }, context).write(stream);
 */
export function createAccessLog(options: AccessLogOptions, context: AccessLogContext): AccessLog {
  const format = formatOf(options);
  return new BatchedAccessLog(format, new LogBatch(format.form, context.logs.open(options.path), context));
}

function formatOf(options: AccessLogOptions): LineFormat {
  if (options.json !== undefined) return compileJson(options.json);
  const { format = 'heddle' } = options;
  // Formats written for Envoy end with a line break of their own.
  return compileText(
    Object.hasOwn(readyMade, format) ? (readyMade[format] as string) : format.replace(/\n$/, ''),
  );
}

class BatchedAccessLog implements AccessLog {
  readonly #format: LineFormat;
  readonly #batch: LogBatch;

  constructor(format: LineFormat, batch: LogBatch) {
    this.#format = format;
    this.#batch = batch;
  }

  write(s: Stream): void {
    this.#format.write(this.#batch.begin(), s, maxLineBytes);
    this.#batch.commit();
  }
}
