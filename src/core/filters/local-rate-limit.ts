import * as v from 'valibot';
import type { Clock } from '../base/clock.ts';
import { parseIpAddress } from '../base/ip-address.ts';
import { token } from '../config/schema/values.ts';
import { Hop, type Stream } from '../contract/stream.ts';
import { type RepeatPlan, type StreamFilterDefinition, Verdict } from '../contract/stream-filter.ts';
import { TokenBucket, type TokenBucketConfig } from '../limit/token-bucket.ts';
import { clientAddress } from './client-address.ts';
import { countOne, filterCounter } from './count.ts';
import { noPlan, shapeHooks } from './hooks.ts';
import { RouteConfigs } from './route-config.ts';

const bucket = {
  /** Requests that may come at once; the bucket starts full. */
  maxTokens: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** Tokens added each `fillIntervalMs` (1). */
  tokensPerFill: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 1),
  /** At least 50 (1000). */
  fillIntervalMs: v.optional(v.pipe(v.number(), v.finite(), v.minValue(50)), 1000),
};
const keyPart = v.union([v.literal('client'), v.strictObject({ header: token })]);
const config = v.pipe(
  v.strictObject({
    /** One bucket for all requests of the listener, or of the route where a route configures it (none). */
    bucket: v.optional(v.strictObject(bucket)),
    /** A bucket for each value of a key: the client's address, headers, or several together (none). */
    descriptors: v.optional(
      v.array(v.strictObject({ key: v.pipe(v.array(keyPart), v.minLength(1)), ...bucket })),
      [],
    ),
    /** Values remembered per descriptor; the one unused for longest is forgotten first (10000). */
    maxKeys: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000_000)), 10_000),
    /** Status of the refusal (429). */
    status: v.optional(v.pipe(v.number(), v.integer(), v.minValue(400), v.maxValue(599)), 429),
  }),
  v.check((each) => each.bucket !== undefined || each.descriptors.length > 0, 'a bucket or a descriptor'),
);
export type LocalRateLimitConfig = v.InferOutput<typeof config>;
type DescriptorConfig = LocalRateLimitConfig['descriptors'][number];

/** A longer value counts by its beginning: keys come from strangers. */
const maxKeyLength = 128;

/**
 * Token buckets in this process: one for all, and one for each client or header value. Every bucket that a request
 * belongs to must have a token; it pays with one of each. A refusal says in `retry-after` when to come back.
 * A request without the header of a descriptor is not limited by it. IPv6 clients count by their /64. With several worker
 * processes the bucket of all requests is shared out among them; those of keys are each worker's, as the connections of
 * one client may all be with one worker.
 *
 * @example
 * filters:
 *   - name: local-rate-limit
 *     config:
 *       bucket: { maxTokens: 1000, tokensPerFill: 500, fillIntervalMs: 1000 }
 *       descriptors: [{ key: [client], maxTokens: 20, tokensPerFill: 10 }, { key: [{ header: x-api-key }], maxTokens: 100 }]
 */
export const localRateLimit: StreamFilterDefinition<LocalRateLimitConfig> = {
  name: 'local-rate-limit',
  stage: 'afterRoute',
  config,
  create(own, context) {
    const time = new StreamTime(context.clock);
    const passed = filterCounter(context, 'local-rate-limit', 'passed');
    const configs = new RouteConfigs(
      context.slot,
      own,
      (each: LocalRateLimitConfig) => new Limits(each, time, context.processes ?? 1, passed),
    );
    const limited = filterCounter(context, 'local-rate-limit', 'limited');
    const { metrics } = context;
    return shapeHooks({
      onRequestHead(s) {
        const limits = configs.of(s);
        // A mesh before this one has limited it.
        if (limits === null || (s.hops & Hop.limits) !== 0) return Verdict.continue;
        time.follow(s.startMs);
        const waitMs = limits.tryPass(s);
        if (waitMs < 0) {
          countOne(metrics, passed);
          return Verdict.continue;
        }
        countOne(metrics, limited);
        s.addFlag('RL');
        return s.reply(limits.status, 'rate_limited\n', {
          'content-type': 'text/plain',
          'x-heddle-error': 'rate_limited',
          'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))),
        });
      },
      planRepeat(s) {
        const limits = configs.of(s);
        return limits === null || (s.hops & Hop.limits) !== 0 ? noPlan : limits.plan;
      },
    });
  },
};

/** The time of the latest stream, so that buckets cost no clock reading (50 ns) of their own. */
class StreamTime implements Clock {
  readonly #clock: Clock;
  #ms: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#ms = clock.now();
  }

  follow(startMs: number): void {
    // Every new number is one on the heap; buckets are filled in steps of 50 ms or more.
    if (startMs >= this.#ms + 1) this.#ms = startMs;
  }

  now(): number {
    return this.#ms;
  }

  wallNow(): number {
    return this.#clock.wallNow();
  }

  setTimer(delayMs: number, run: () => void) {
    return this.#clock.setTimer(delayMs, run);
  }
}

class Limits {
  readonly status: number;
  readonly plan: RepeatPlan;
  readonly #shared: TokenBucket | null;
  readonly #descriptors: readonly Descriptor[];

  /** @param passed counter of those that may pass */
  constructor(own: LocalRateLimitConfig, clock: StreamTime, processes: number, passed: number) {
    this.status = own.status;
    this.plan = {
      counts: [passed],
      passes: (call) => {
        clock.follow(call.startMs);
        if (this.#descriptors.length > 0) call.stream.peer = call.peer;
        return this.tryPass(call.stream) < 0;
      },
    };
    this.#shared =
      own.bucket === undefined ? null : new TokenBucket(bucketOfEach(own.bucket, processes), clock);
    this.#descriptors = own.descriptors.map((each) => new Descriptor(each, own.maxKeys, clock));
  }

  /** -1: may pass. Else the milliseconds after which it may try again; nothing is paid then. */
  tryPass(s: Stream): number {
    const shared = this.#shared;
    if (this.#descriptors.length === 0) {
      return shared === null || shared.tryAcquire(null, 1) ? -1 : shared.retryAfterMs();
    }
    const buckets = shared === null ? [] : [shared];
    for (const descriptor of this.#descriptors) {
      const each = descriptor.bucketOf(s);
      if (each !== null) buckets.push(each);
    }
    let waitMs = -1;
    for (const each of buckets) if (each.remaining < 1) waitMs = Math.max(waitMs, each.retryAfterMs(), 0);
    if (waitMs < 0) for (const each of buckets) each.tryAcquire(null, 1);
    return waitMs;
  }
}

/** So much of a bucket that `processes` of them fill as one does: the rate exactly, the burst rounded up. */
function bucketOfEach(bucket: TokenBucketConfig, processes: number): TokenBucketConfig {
  const { maxTokens, tokensPerFill, fillIntervalMs } = bucket;
  const share = { maxTokens: Math.ceil(maxTokens / processes) };
  if (tokensPerFill % processes === 0) {
    return { ...share, tokensPerFill: tokensPerFill / processes, fillIntervalMs };
  }
  return { ...share, tokensPerFill, fillIntervalMs: fillIntervalMs * processes };
}

/** Buckets by key, in the order of their last use. */
class Descriptor {
  readonly #config: TokenBucketConfig;
  readonly #parts: readonly (string | null)[];
  readonly #maxKeys: number;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(own: DescriptorConfig, maxKeys: number, clock: Clock) {
    this.#config = own;
    this.#parts = own.key.map((part) => (part === 'client' ? null : part.header.toLowerCase()));
    this.#maxKeys = maxKeys;
    this.#clock = clock;
  }

  bucketOf(s: Stream): TokenBucket | null {
    const key = this.#keyOf(s);
    if (key === null) return null;
    const known = this.#buckets.get(key);
    if (known !== undefined) {
      this.#buckets.delete(key);
      this.#buckets.set(key, known);
      return known;
    }
    if (this.#buckets.size >= this.#maxKeys) this.#forgetOldest();
    const made = new TokenBucket(this.#config, this.#clock);
    this.#buckets.set(key, made);
    return made;
  }

  #forgetOldest(): void {
    for (const key of this.#buckets.keys()) {
      this.#buckets.delete(key);
      return;
    }
  }

  #keyOf(s: Stream): string | null {
    let key = '';
    for (const header of this.#parts) {
      const value = header === null ? networkOf(clientAddress(s)) : s.req.get(header);
      if (value === null) return null;
      // A line break cannot stand in a header value, so it keeps the parts apart.
      key = `${key}\n${value.slice(0, maxKeyLength)}`;
    }
    return key;
  }
}

/** Whoever has one IPv6 address has 2^64: the network counts. */
function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const bytes = parseIpAddress(address);
  return bytes === null || bytes.length === 4 ? address : Buffer.from(bytes.subarray(0, 8)).toString('hex');
}
