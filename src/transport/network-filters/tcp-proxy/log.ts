import type { Clock } from '../../../core/base/clock.ts';
import { factsOf } from '../../../core/base/codes.ts';
import type { LogOutputs } from '../../../core/contract/log-output.ts';
import type { Metrics } from '../../../core/contract/metrics.ts';
import type { Peer } from '../../../core/contract/wire.ts';
import { LogBatch, maxLineBytes } from '../../../core/observe/access-log/log-batch.ts';

/** What there is to say of a finished connection. */
export interface TcpRecord {
  readonly startWallMs: number;
  readonly durationMs: number;
  readonly peer: Peer;
  readonly destination: string;
  /** "-" when there is none. */
  readonly cluster: string;
  readonly host: string;
  readonly received: number;
  readonly sent: number;
  readonly attempts: number;
  /** A Code: why it ended; `none` where both ends were done. */
  readonly code: number;
}

/** One line a connection: `[time] "TCP" peer destination cluster host received sent durationMs attempts reason`. */
export class TcpLog {
  readonly #batch: LogBatch;

  /** @throws HeddleError ERR_OPTION_INVALID for a path that cannot be opened */
  constructor(path: string, context: { clock: Clock; metrics: Metrics; logs: LogOutputs }) {
    this.#batch = new LogBatch('text', context.logs.open(path), context);
  }

  write(record: TcpRecord): void {
    const line = this.#batch.begin();
    line.end = line.at + maxLineBytes;
    const { peer } = record;
    line.text(`[${new Date(record.startWallMs).toISOString()}] `);
    line.literal(method);
    const words = [
      peer.port === 0 ? peer.address : `${peer.address}:${peer.port}`,
      record.destination,
      record.cluster,
      record.host,
      record.received,
      record.sent,
      Math.round(record.durationMs),
      record.attempts,
      factsOf(record.code).name,
    ];
    line.text(words.join(' '));
    this.#batch.commit();
  }
}

/** Quotes are escaped in values, so they come as a literal. */
const method: Buffer = Buffer.from('"TCP" ', 'latin1');
