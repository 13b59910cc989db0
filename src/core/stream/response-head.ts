import { Code } from '../base/codes.ts';
import type { Cluster, Host } from '../contract/cluster.ts';
import { Phase } from '../contract/phase.ts';
import type { Pipeline } from '../contract/pipeline.ts';
import type { PolicyState } from '../contract/policy-state.ts';
import type { Route } from '../contract/route.ts';
import type { Stream } from '../contract/stream.ts';
import { type FilterResult, type StreamFilter, Verdict } from '../contract/stream-filter.ts';
import { applyHeaderOperations } from '../route/header-operations.ts';
import { retriesStatus, statusOfAnswer } from './attempt.ts';
import { armStream } from './deadlines.ts';
import { followsRedirect } from './internal-redirect.ts';
import { keptBytes } from './kept-bytes.ts';
import { filterFailed, localReply, resetDownstream } from './local-reply.ts';
import type { StreamProxy } from './proxy.ts';
import { flushResponse, sendResponse } from './response-body.ts';
import { releaseUpstream } from './upstream-end.ts';

/** awaitUpstream ends: an answer begins. `buf[a, b)` are its first body bytes. */
export function receiveResponse(
  p: StreamProxy,
  s: Stream,
  buf: Buffer | null,
  a: number,
  b: number,
  end: boolean,
): void {
  s.firstByteMs = s.lastActivityMs = p.context.clock.now();
  s.responseDone = end;
  if (end) {
    s.up = null;
    s.endMs = s.firstByteMs;
  }
  if (buf !== null) s.responseBytes += b - a;
  const status = s.res.status;
  if (s.policy !== null && s.policy.hedge?.outlivesAnswer(end) === true) return;
  if (retriesStatus(p, s, end)) return;
  const { internalRedirect } = s.route as Route;
  if (internalRedirect !== null && followsRedirect(p, s, internalRedirect, end)) return;
  (s.cluster as Cluster).report(s.host as Host, statusOfAnswer(s, end), 0, s.firstByteMs - s.tryStartMs);
  s.tryDeadlineMs = 0;
  // From here on the idle limit counts: a large body may take its reader's time. A caller's own limit stays.
  if (s.routeDeadlineMs === s.requestDoneMs + (s.route as Route).timeoutMs)
    s.routeDeadlineMs = s.callDeadlineMs;
  if (end) releaseUpstream(s);
  if (status === 101 || (status < 300 && s.req.upgrade === 'connect')) {
    s.isTunnel = true;
    s.routeDeadlineMs = 0;
  }
  filterResponse(p, s, buf, a, b, end);
}

/** filterResponse: head hooks in reverse order, then the head goes out. Local replies come this way too. */
export function filterResponse(
  p: StreamProxy,
  s: Stream,
  buf: Buffer | null,
  a: number,
  b: number,
  end: boolean,
): void {
  s.phase = Phase.filterResponse;
  const filters = (s.pipeline as Pipeline).filters.responseHead;
  while (s.responseFilterIndex < filters.length) {
    const filter = filters[s.responseFilterIndex++] as StreamFilter;
    const wasLocal = s.isLocalReply;
    let result: FilterResult;
    try {
      result = (filter.onResponseHead as NonNullable<StreamFilter['onResponseHead']>)(s);
    } catch (thrown) {
      filterFailed(p, s, filter, thrown);
      return;
    }
    if (result === Verdict.continue) continue;
    if (!isStop(result)) {
      if (endingVerdict(p, s, result, wasLocal)) return;
      continue;
    }
    // What arrived with the head waits with it.
    if (buf !== null && b > a) s.responseBody.push(keptBytes(s.responseOwned, buf, a, b));
    stopResponse(p, s, filter, result, wasLocal);
    return;
  }
  encodeDownstream(p, s, buf, a, b, end);
}

const isStop = (result: FilterResult): boolean =>
  typeof result !== 'number' || result === Verdict.stop || result === Verdict.stopAndBuffer;

/**
 * @param wasLocal the filter was asked about a local reply: another one does not begin with the first filter again
 * @returns true: the stream's answer is decided otherwise
 */
function endingVerdict(p: StreamProxy, s: Stream, result: FilterResult, wasLocal: boolean): boolean {
  if (result === Verdict.close) resetDownstream(p, s, Code.filterClosed);
  else if (result === Verdict.reply) localReply(p, s, wasLocal ? s.responseFilterIndex : 0);
  else return false;
  return true;
}

function stopResponse(
  p: StreamProxy,
  s: Stream,
  filter: StreamFilter,
  result: FilterResult,
  wasLocal: boolean,
): void {
  s.isResponseStopped = true;
  s.endMs = 0;
  s.res.retain();
  armStream(p.context.wheel, s);
  if (result === Verdict.stopAndBuffer) {
    const half = s.responseBody;
    half.isBuffering = true;
    if (half.early === null) half.early = [filter];
    else half.early.push(filter);
    if (s.responseDone) flushResponse(p, s);
    return;
  }
  if (typeof result === 'number') return;
  const gen = s.gen;
  result.then(
    (verdict) => {
      if (s.gen !== gen) return;
      if (isStop(verdict)) stopResponse(p, s, filter, verdict, wasLocal);
      else if (!endingVerdict(p, s, verdict, wasLocal)) resumeResponse(p, s);
    },
    (thrown) => {
      if (s.gen === gen) filterFailed(p, s, filter, thrown);
    },
  );
}

/** A stopped response head goes on with the next filter. */
export function resumeResponse(p: StreamProxy, s: Stream): void {
  s.isResponseStopped = false;
  filterResponse(p, s, null, 0, 0, s.responseDone);
}

function encodeDownstream(
  p: StreamProxy,
  s: Stream,
  buf: Buffer | null,
  a: number,
  b: number,
  end: boolean,
): void {
  s.phase = Phase.encodeDownstream;
  const operations = s.route === null ? null : s.route.responseHeaders;
  if (s.target !== null && s.target.responseHeaders !== null) {
    applyHeaderOperations(s.target.responseHeaders, s.res, s);
  }
  if (operations !== null) applyHeaderOperations(operations, s.res, s);
  if (s.policy !== null) addCookies(s, s.policy);
  const server = (s.pipeline as Pipeline).serverHeader;
  // RPC protocols have no such header: it would only make every answer be written anew.
  if (server !== null && s.req.framing === null) {
    s.res.remove('server');
    s.res.addField(server);
  }
  sendResponse(p, s, buf, a, b, end);
}

/** Cookies that hash policies made, so that the next request comes with them. */
function addCookies(s: Stream, policy: PolicyState): void {
  // A stream beside another leaves them to that one.
  if (policy.route !== null) return;
  for (const { field } of policy.cookies ?? []) s.res.add('set-cookie', field);
}
