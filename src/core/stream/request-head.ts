import { Code } from '../base/codes.ts';
import type { Pipeline } from '../contract/pipeline.ts';
import type { Stream } from '../contract/stream.ts';
import { needsNormalizing, normalizePath } from '../route/normalize-path.ts';
import { failStream } from './local-reply.ts';
import type { StreamProxy } from './proxy.ts';

/** Brings the path into the form that filters and routes may trust. False: refused, the stream is over. */
export function prepareRequest(p: StreamProxy, s: Stream): boolean {
  const options = (s.pipeline as Pipeline).normalizePath;
  const head = s.req;
  // The path of an RPC is its names, not a URL.
  if (head.framing !== null || !needsNormalizing(head, options)) return true;
  const path = normalizePath(head.path, options);
  if (path === null) {
    failStream(p, s, Code.downstreamProtocol);
    return false;
  }
  if (path !== head.path) head.path = path;
  return true;
}
