import { Code } from '../base/codes.ts';
import { Phase } from '../contract/phase.ts';
import type { Stream } from '../contract/stream.ts';
import { type FilterResult, type StreamFilter, Verdict } from '../contract/stream-filter.ts';
import { armStream } from './deadlines.ts';
import { failStream, filterFailed, localReply, resetDownstream } from './local-reply.ts';
import type { StreamProxy } from './proxy.ts';
import { collected, holdFirst } from './request-body.ts';
import { releaseUpstream } from './upstream-end.ts';

/** A filter may ask for another route or host this many times before the stream is failed. */
const maxRechoices = 5;

/** Runs one stage of head hooks from `s.filterIndex`. True: all passed, `s.phase` is `next`. */
export function filterRequest(
  p: StreamProxy,
  s: Stream,
  filters: readonly StreamFilter[],
  next: Phase,
): boolean {
  while (s.filterIndex < filters.length) {
    const filter = filters[s.filterIndex++] as StreamFilter;
    let result: FilterResult;
    try {
      result = (filter.onRequestHead as NonNullable<StreamFilter['onRequestHead']>)(s);
    } catch (thrown) {
      filterFailed(p, s, filter, thrown);
      return false;
    }
    if (result !== Verdict.continue && !requestVerdict(p, s, filter, result)) return false;
  }
  s.filterIndex = 0;
  s.phase = next;
  return true;
}

/** Acts on a head verdict; true: go on with the phases. */
function requestVerdict(p: StreamProxy, s: Stream, filter: StreamFilter, result: FilterResult): boolean {
  switch (result) {
    case Verdict.continue:
      return true;
    case Verdict.stop:
      s.isStopped = true;
      armStream(p.context.wheel, s);
      return false;
    case Verdict.stopAndBuffer:
      return collectBody(p, s, filter);
    case Verdict.reply:
      localReply(p, s);
      return false;
    case Verdict.matchRouteAgain:
      return again(p, s, Phase.matchRoute);
    case Verdict.chooseHostAgain:
      return again(p, s, Phase.chooseHost);
    case Verdict.close:
      resetDownstream(p, s, Code.filterClosed);
      return false;
    default:
      awaitVerdict(p, s, filter, result as Promise<Verdict>);
      return false;
  }
}

function collectBody(p: StreamProxy, s: Stream, filter: StreamFilter): boolean {
  s.isStopped = true;
  const half = s.requestBody;
  half.isBuffering = true;
  if (half.early === null) half.early = [filter];
  else half.early.push(filter);
  if (s.firstBuf !== null) holdFirst(s);
  armStream(p.context.wheel, s);
  return s.requestDone && collected(p, s);
}

function again(p: StreamProxy, s: Stream, phase: Phase): boolean {
  if (++s.rechoices > maxRechoices) {
    failStream(p, s, Code.filterFailed);
    return false;
  }
  if (phase === Phase.matchRoute) {
    // Before the route was matched there is nothing to match again: the chain simply goes on.
    if (s.phase === Phase.filterBeforeRoute) return true;
    s.route = null;
    s.target = null;
    s.cluster = null;
    s.isRouted = false;
  }
  avoidHost(s);
  s.filterIndex = 0;
  s.phase = phase;
  p.advance(s);
  return false;
}

/** Gives the chosen host up and remembers not to choose it again. */
export function avoidHost(s: Stream): void {
  if (s.host === null) return;
  if (s.triedHosts === null) s.triedHosts = [s.host];
  else s.triedHosts.push(s.host);
  releaseUpstream(s);
}

function awaitVerdict(p: StreamProxy, s: Stream, filter: StreamFilter, promise: Promise<Verdict>): void {
  s.isStopped = true;
  armStream(p.context.wheel, s);
  const gen = s.gen;
  promise.then(
    (verdict) => {
      if (s.gen !== gen) return;
      s.isStopped = false;
      if (requestVerdict(p, s, filter, verdict)) p.advance(s);
    },
    (thrown) => {
      if (s.gen === gen) filterFailed(p, s, filter, thrown);
    },
  );
}
