import type { Metrics } from '../contract/metrics.ts';
import type { Pipeline } from '../contract/pipeline.ts';
import { PolicyState } from '../contract/policy-state.ts';
import type { Route } from '../contract/route.ts';
import type { Stream } from '../contract/stream.ts';
import type { StreamEnd } from '../contract/stream-end.ts';
import { setContentLength } from './content-length.ts';
import { copyHead } from './copy-head.ts';
import { buildFilterChain } from './filter-chain.ts';
import type { StreamProxy } from './proxy.ts';

/** What streams of the mesh's own count as, beside the names of listeners. */
export type InnerKind = 'mirror' | 'hedge';

/**
 * A stream beside another: the same request, complete, by a route of its own, without filters, log and trace. It is
 * ready for `p.requestHead`.
 */
export function innerStream(
  p: StreamProxy,
  kind: InnerKind,
  s: Stream,
  route: Route,
  down: StreamEnd,
): Stream {
  const inner = p.acquire();
  copyHead(s.req, inner.req);
  inner.down = down;
  inner.peer = s.peer;
  inner.protocol = kind;
  inner.requestOwned = true;
  inner.pipeline = p.innerPipelines[kind];
  inner.policy = new PolicyState();
  inner.policy.route = route;
  for (const [key, value] of s.metadata) inner.metadata.set(key, value);
  return inner;
}

/** The request has this body and no other; nothing is waited for before it is sent. */
export function completeHead(inner: Stream, body: Buffer | null): void {
  const head = inner.req;
  head.remove('expect');
  head.expectContinue = false;
  if (!head.chunked && head.contentLength === (body?.length ?? head.contentLength)) return;
  head.chunked = false;
  setContentLength(head, body?.length ?? 0);
}

export type InnerPipelines = Readonly<Record<InnerKind, Pipeline>>;

export function innerPipelines(metrics: Metrics): InnerPipelines {
  return { mirror: innerPipeline('mirror', metrics), hedge: innerPipeline('hedge', metrics) };
}

function innerPipeline(kind: InnerKind, metrics: Metrics): Pipeline {
  const labels = { kind };
  return {
    name: `(${kind})`,
    filters: buildFilterChain([]),
    router: { match: (s) => s.policy?.route ?? null },
    accessLogs: [],
    tracer: null,
    streamIdleTimeoutMs: 300_000,
    maxBufferedBytes: 1_048_576,
    serverHeader: null,
    // The path is in normal form: it is the one that went upstream.
    normalizePath: { dotSegments: false, mergeSlashes: false, escapedSlashes: 'keep' },
    slots: {
      requests: metrics.counter('heddle_inner_requests_total', labels),
      active: metrics.gauge('heddle_inner_requests_active', labels),
      resets: metrics.counter('heddle_inner_resets_total', labels),
      statusClass: [1, 2, 3, 4, 5].map((each) =>
        metrics.counter('heddle_inner_responses_total', { kind, class: `${each}xx` }),
      ),
      duration: metrics.histogram('heddle_inner_duration_ms', labels),
      bytesReceived: metrics.counter('heddle_inner_body_bytes_received_total', labels),
      bytesSent: metrics.counter('heddle_inner_body_bytes_sent_total', labels),
    },
  };
}
