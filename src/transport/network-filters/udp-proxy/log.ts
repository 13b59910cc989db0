import type { Clock } from '../../../core/base/clock.ts';
import type { LogOutputs } from '../../../core/contract/log-output.ts';
import type { Metrics } from '../../../core/contract/metrics.ts';
import type { Peer } from '../../../core/contract/wire.ts';
import { LogBatch, maxLineBytes } from '../../../core/observe/access-log/log-batch.ts';

/** Why a session ended: nothing came any more, nobody listens there, another needed its place, the listener closed. */
export type UdpEnd = 'idle' | 'unreachable' | 'evicted' | 'closed';

/** What there is to say of a finished session. */
export interface UdpRecord {
  readonly startWallMs: number;
  readonly durationMs: number;
  readonly peer: Peer;
  readonly cluster: string;
  readonly host: string;
  /** Datagrams of the client. */
  readonly received: number;
  readonly receivedBytes: number;
  /** Datagrams of the host. */
  readonly sent: number;
  readonly sentBytes: number;
  readonly reason: UdpEnd;
}

/**
 * One line a session: `[time] "UDP" peer cluster host received receivedBytes sent sentBytes durationMs reason`.
 */
export class UdpLog {
  readonly #batch: LogBatch;

  /** @throws HeddleError ERR_OPTION_INVALID for a path that cannot be opened */
  constructor(path: string, context: { clock: Clock; metrics: Metrics; logs: LogOutputs }) {
    this.#batch = new LogBatch('text', context.logs.open(path), context);
  }

  write(record: UdpRecord): void {
    const line = this.#batch.begin();
    line.end = line.at + maxLineBytes;
    const { peer } = record;
    line.text(`[${new Date(record.startWallMs).toISOString()}] `);
    line.literal(method);
    const words = [
      `${peer.address}:${peer.port}`,
      record.cluster,
      record.host,
      record.received,
      record.receivedBytes,
      record.sent,
      record.sentBytes,
      Math.round(record.durationMs),
      record.reason,
    ];
    line.text(words.join(' '));
    this.#batch.commit();
  }
}

/** Quotes are escaped in values, so they come as a literal. */
const method: Buffer = Buffer.from('"UDP" ', 'latin1');
