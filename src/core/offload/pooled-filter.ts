import type { HeadView } from '../base/head-view.ts';
import type { ConfigSchema } from '../contract/extension.ts';
import type { Stream } from '../contract/stream.ts';
import {
  type FilterContext,
  type FilterStage,
  type StreamFilter,
  type StreamFilterDefinition,
  Verdict,
} from '../contract/stream-filter.ts';
import type { PooledAnswer, PooledHook, PooledMessage } from './filter-job.ts';
import { FilterPool, PoolError } from './filter-pool.ts';
import { boundsOf, type PoolBounds, type WithBounds, withBounds } from './pool-bounds.ts';

/** A filter whose work is done in threads of its own. */
export interface PooledFilter<Config = unknown> {
  readonly name: string;
  /** @default 'afterRoute' */
  readonly stage?: FilterStage;
  /** Of the module's own; `pool` beside it holds the bounds. */
  readonly config: ConfigSchema<Config>;
  /** `file:` URL of the module whose default export has the hooks: `new URL('./shrink.pool.js', import.meta.url)`. */
  readonly module: URL | string;
  /** The hooks that the module has. */
  readonly hooks: readonly PooledHook[];
  readonly isSecurity?: boolean;
  /** Other defaults for the bounds. */
  readonly bounds?: Partial<PoolBounds>;
}

const nothing: Uint8Array = new Uint8Array(0);

/**
 * A stream filter that runs in a pool of threads, for work that would hold up the event loop or that is not trusted
 * with it: transformations of bodies, plugins. Each message is collected, crosses as plain data and comes back; a hop
 * costs about 0.1 ms, so this is nothing for what a filter on the loop does in microseconds.
 *
 * A job that crashes its thread, does not end in time, needs too much memory or finds the queue full has no verdict:
 * the request fails with 500 (`onFailure: 'refuse'`, the default), or goes on untouched (`'pass'`). Nothing else is
 * harmed: the thread is replaced.
 *
 * @example
 * export default pooledFilter({
 *   name: 'shrink', config: v.strictObject({}), hooks: ['response'],
 *   module: new URL('./shrink.pool.js', import.meta.url),
 * });
 */
export function pooledFilter<Config extends object>(
  filter: PooledFilter<Config>,
): StreamFilterDefinition<WithBounds<Config>> {
  const { name, stage = 'afterRoute', config, isSecurity = false } = filter;
  const module = String(filter.module);
  return {
    name,
    stage,
    config: withBounds(config, filter.bounds ?? {}),
    isSecurity,
    runIn: 'pool',
    module,
    create: (own, context) => createPooled({ name, module, hooks: filter.hooks }, own, context),
  };
}

interface Pooled {
  readonly name: string;
  readonly module: string;
  readonly hooks: readonly PooledHook[];
}

function createPooled<Config extends object>(
  { name, module, hooks }: Pooled,
  own: WithBounds<Config>,
  context: FilterContext,
): StreamFilter {
  const { bounds, config } = boundsOf(own);
  const pool = new FilterPool({ ...bounds, clock: context.clock });
  context.onClose?.(() => pool.close());
  const failures = (reason: string): number =>
    context.metrics.counter('heddle_filter_pool_failures_total', {
      listener: context.owner,
      filter: name,
      reason,
    });

  const run = async (s: Stream, hook: PooledHook, message: PooledMessage): Promise<Verdict> => {
    const { gen } = s;
    try {
      const answer = await pool.run({ module, hook, message, config, maxBodyBytes: bounds.maxBodyBytes });
      if (answer === null || s.gen !== gen) return Verdict.continue;
      return apply(s, hook === 'request' ? s.req : s.res, answer);
    } catch (thrown) {
      const reason = thrown instanceof PoolError ? thrown.failure : 'answer';
      (context.metrics.values[failures(reason)] as number)++;
      if (bounds.onFailure === 'refuse') throw thrown;
      const error = thrown instanceof Error ? thrown.message : String(thrown);
      context.logger.warn('a filter of the pool gave no verdict, the message goes on', {
        filter: name,
        error,
      });
      return Verdict.continue;
    }
  };

  const filter: StreamFilter = {};
  if (hooks.includes('request')) {
    filter.onRequestHead = () => Verdict.stopAndBuffer;
    filter.onRequestBody = (s, buf, a, b) => {
      const { method, path, authority } = s.req;
      return run(s, 'request', {
        method,
        path,
        authority,
        headers: s.req.toObject(),
        body: bytesOf(buf, a, b),
      });
    };
  }
  if (hooks.includes('response')) {
    filter.onResponseHead = (s) => (s.isLocalReply ? Verdict.continue : Verdict.stopAndBuffer);
    filter.onResponseBody = (s, buf, a, b) => {
      if (s.isLocalReply) return Verdict.continue;
      return run(s, 'response', {
        status: s.res.status,
        headers: s.res.toObject(),
        body: bytesOf(buf, a, b),
      });
    };
  }
  return filter;
}

/** A copy of exactly these bytes: a view of a larger buffer would cross as a whole. */
const bytesOf = (buf: Buffer, a: number, b: number): Uint8Array =>
  a === b ? nothing : Uint8Array.from(buf.subarray(a, b));

/** @throws HeddleError ERR_HEADER_INVALID */
function apply(s: Stream, head: HeadView, answer: PooledAnswer): Verdict {
  const { reply, headers, body } = answer;
  if (reply !== undefined) return s.reply(reply.status, reply.body ?? '', reply.headers ?? {});
  for (const [name, value] of Object.entries(headers ?? {})) {
    const lower = name.toLowerCase();
    if (value === null) head.remove(lower);
    else head.set(lower, value);
  }
  if (body !== undefined) {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    s.replaceBody(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }
  return Verdict.continue;
}
