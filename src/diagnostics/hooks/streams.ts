import { channel } from 'node:diagnostics_channel';
import {
  type PendingStream,
  type StreamCollector,
  streamsChannel,
} from '../../core/contract/pending-stream.ts';

export interface PendingStreamGroup {
  readonly route: string;
  readonly upstream: string;
  readonly phase: string;
  readonly count: number;
  readonly oldestMs: number;
  readonly medianMs: number;
}

/** Asks every mesh of this thread. Groups by route, upstream and phase; at most 200 groups, the rest as `(other)`. */
export function collectStreams(): { count: number; oldestMs: number; groups: PendingStreamGroup[] } {
  const asked = channel(streamsChannel);
  if (!asked.hasSubscribers) return { count: 0, oldestMs: 0, groups: [] };
  const groups = new Map<string, { head: PendingStream; ages: number[] }>();
  let count = 0;
  let oldestMs = 0;
  const collector: StreamCollector = {
    add: (stream) => {
      count++;
      if (stream.ageMs > oldestMs) oldestMs = stream.ageMs;
      const key = `${stream.route} ${stream.upstream} ${stream.phase}`;
      const known = groups.has(key) || groups.size < 200 ? key : '(other)';
      const head =
        known === key ? stream : { ...stream, route: '(other)', upstream: '(other)', phase: '(other)' };
      const group = groups.get(known) ?? { head, ages: [] };
      group.ages.push(stream.ageMs);
      groups.set(known, group);
    },
  };
  asked.publish(collector);
  return {
    count,
    oldestMs,
    groups: [...groups.values()].map(({ head, ages }) => {
      const sorted = ages.sort((a, b) => b - a);
      const { route, upstream, phase } = head;
      const medianMs = sorted[sorted.length >> 1] ?? 0;
      return { route, upstream, phase, count: sorted.length, oldestMs: sorted[0] ?? 0, medianMs };
    }),
  };
}
