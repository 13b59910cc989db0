import type { Stream } from '../contract/stream.ts';

/** Gives the host's permit back: before the last event of the stream, so that a caller's next request finds room. */
export function releaseUpstream(s: Stream): void {
  if (!s.holdsHost) return;
  s.holdsHost = false;
  if (s.host !== null) s.cluster?.release(s.host);
}

/** The stream leaves its upstream, whatever state it is in there. */
export function cancelUpstream(s: Stream, code: number): void {
  if (s.isWaiting) s.host?.upstream.cancelWait(s);
  s.isWaiting = false;
  s.retryAtMs = 0;
  const up = s.up;
  s.up = null;
  if (up !== null) up.reset(s, code);
  releaseUpstream(s);
}
