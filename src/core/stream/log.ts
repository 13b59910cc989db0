import { channels } from '../base/channels.ts';
import { Code } from '../base/codes.ts';
import { messageOf } from '../base/errors.ts';
import type { Cluster } from '../contract/cluster.ts';
import { Phase } from '../contract/phase.ts';
import type { Pipeline } from '../contract/pipeline.ts';
import type { Stream } from '../contract/stream.ts';
import type { StreamProxy } from './proxy.ts';
import { cancelUpstream } from './upstream-end.ts';

/** The phases log and done: the last that happens to a stream, exactly once, however it ended. */
export function finish(p: StreamProxy, s: Stream): void {
  if (s.phase === Phase.log) return;
  s.phase = Phase.log;
  if (s.policy !== null) s.policy.hedge?.cancel();
  cancelUpstream(s, s.code === Code.none ? Code.locallyClosed : s.code);
  if (s.holdsRetry) s.cluster?.releaseRetry();
  if (s.code !== Code.none) s.abort();
  p.context.wheel.disarm(s);
  // A stream that ended in the call that read the clock last needs no other reading.
  if (s.endMs === 0) s.endMs = p.context.clock.now();
  const pipeline = s.pipeline as Pipeline;
  countStream(p, s, pipeline);
  for (const filter of pipeline.filters.streamEnd) {
    try {
      filter.onStreamEnd?.(s);
    } catch (thrown) {
      p.context.logger.error('onStreamEnd threw', { listener: pipeline.name, error: messageOf(thrown) });
    }
  }
  pipeline.tracer?.end(s);
  const logs = pipeline.accessLogs;
  for (let i = 0; i < logs.length; i++) (logs[i] as (typeof logs)[number]).write(s);
  if (channels.streamEnd.hasSubscribers) channels.streamEnd.publish({ stream: s });
  s.phase = Phase.done;
  p.ended(s);
}

function countStream(p: StreamProxy, s: Stream, pipeline: Pipeline): void {
  const answeredBy = s.isLocalReply ? null : s.cluster;
  const durationMs = s.endMs - s.startMs;
  countCall(p, pipeline, answeredBy, s.res.status, s.requestBytes, s.responseBytes, durationMs);
  if (s.cluster !== answeredBy && s.cluster !== null) {
    p.context.metrics.record(s.cluster.slots.duration, durationMs);
  }
}

/** @param answeredBy null: the answer is ours @param status in HTTP's scale, 0 when there was none */
export function countCall(
  p: StreamProxy,
  pipeline: Pipeline,
  answeredBy: Cluster | null,
  status: number,
  requestBytes: number,
  responseBytes: number,
  durationMs: number,
): void {
  const metrics = p.context.metrics;
  const values = metrics.values;
  const slots = pipeline.slots;
  (values[slots.active] as number)--;
  values[slots.bytesReceived] = (values[slots.bytesReceived] as number) + requestBytes;
  values[slots.bytesSent] = (values[slots.bytesSent] as number) + responseBytes;
  const statusClass = Math.floor(status / 100) - 1;
  if (statusClass >= 0 && statusClass < 5) {
    (values[slots.statusClass[statusClass] as number] as number)++;
    if (answeredBy !== null) {
      (values[answeredBy.slots.statusClass[statusClass] as number] as number)++;
    }
  }
  metrics.record(slots.duration, durationMs);
  if (answeredBy !== null) metrics.record(answeredBy.slots.duration, durationMs);
}
