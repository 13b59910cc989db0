import type { Random } from '../base/random.ts';
import type { Stream } from '../contract/stream.ts';
import { HeaderConditions } from '../route/conditions.ts';
import type { FaultConfig } from './fault.ts';

interface Share {
  readonly byHeader: boolean;
  readonly percent: number;
}

const maxDelayMs = 3_600_000;
const prefixes = ['x-heddle-fault-', 'x-envoy-fault-'];

/** A configuration of the filter fault: which requests it is for, and what it draws for each. */
export class FaultRule {
  readonly maxActive: number;
  readonly #config: FaultConfig;
  readonly #conditions: HeaderConditions | null;

  constructor(own: FaultConfig) {
    this.#config = own;
    this.maxActive = own.maxActive;
    this.#conditions = own.headers.length === 0 ? null : new HeaderConditions(own.headers);
  }

  /** It is for no request at all. */
  get isIdle(): boolean {
    const { delay, abort, rateLimit } = this.#config;
    return [delay, abort, rateLimit].every((share) => share === undefined || share.percent === 0);
  }

  appliesTo(s: Stream): boolean {
    const { cluster } = this.#config;
    if (cluster !== undefined) {
      const action = s.route?.action;
      if (action?.kind !== 'forward' || action.cluster.name !== cluster) return false;
    }
    return this.#conditions === null || this.#conditions.hold(s.req);
  }

  /** 0: not this one. */
  delayMs(s: Stream, random: Random): number {
    const { delay } = this.#config;
    if (delay === undefined) return 0;
    const ms = delay.byHeader
      ? (headerNumber(s, 'delay-request') ?? delay.fixedMs ?? 0)
      : (delay.fixedMs ?? 0);
    if (!(ms > 0) || !isDrawn(s, delay, 'delay-request', random)) return 0;
    return Math.min(ms, maxDelayMs);
  }

  abortStatus(s: Stream, random: Random): number {
    const { abort } = this.#config;
    if (abort === undefined) return 0;
    const told = abort.byHeader ? headerNumber(s, 'abort-request') : null;
    const status = told !== null && told >= 200 && told <= 599 ? told : (abort.status ?? 0);
    return status > 0 && isDrawn(s, abort, 'abort-request', random) ? status : 0;
  }

  bytesPerMs(s: Stream, random: Random): number {
    const { rateLimit } = this.#config;
    if (rateLimit === undefined) return 0;
    const told = rateLimit.byHeader ? headerNumber(s, 'throughput-response') : null;
    const kib = told !== null && told >= 1 ? told : (rateLimit.kibPerSecond ?? 0);
    return kib > 0 && isDrawn(s, rateLimit, 'throughput-response', random) ? (kib * 1024) / 1000 : 0;
  }
}

/** The share of the configuration bounds the one of the header. */
function isDrawn(s: Stream, share: Share, what: string, random: Random): boolean {
  const told = share.byHeader ? headerNumber(s, `${what}-percentage`) : null;
  const percent = told === null ? share.percent : Math.min(told, share.percent);
  return percent >= 100 || (percent > 0 && random.next() * 100 < percent);
}

/** Only whole numbers of at most seven digits are read. */
function headerNumber(s: Stream, what: string): number | null {
  for (const prefix of prefixes) {
    const text = s.req.get(`${prefix}${what}`);
    if (text !== null && /^\d{1,7}$/.test(text)) return Number(text);
  }
  return null;
}
