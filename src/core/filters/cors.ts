import * as v from 'valibot';
import type { HeadView } from '../base/head-view.ts';
import { bitOfName, type HeaderField, headerField } from '../base/header-field.ts';
import type { Random } from '../base/random.ts';
import { headerMatch } from '../config/schema/route-match.ts';
import { token } from '../config/schema/values.ts';
import type { Stream } from '../contract/stream.ts';
import {
  type FilterContext,
  type StreamFilter,
  type StreamFilterDefinition,
  Verdict,
} from '../contract/stream-filter.ts';
import { HeaderConditions } from '../route/conditions.ts';
import { countOne, filterCounter } from './count.ts';
import { shapeHooks } from './hooks.ts';
import { RouteConfigs } from './route-config.ts';

const pattern = v.strictObject({
  exact: headerMatch.entries.exact,
  prefix: headerMatch.entries.prefix,
  suffix: headerMatch.entries.suffix,
  contains: headerMatch.entries.contains,
  regex: headerMatch.entries.regex,
});
const percent = (otherwise: number) =>
  v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(100)), otherwise);

const config = v.pipe(
  v.strictObject({
    /** "https://a.example", "*" for everybody, or { exact | prefix | suffix | contains | regex }. */
    allowOrigins: v.optional(v.array(v.union([v.string(), pattern])), []),
    allowMethods: v.optional(v.array(token), []),
    allowHeaders: v.optional(v.array(token), []),
    exposeHeaders: v.optional(v.array(token), []),
    /** How long a browser may remember a preflight (not said). */
    maxAgeSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
    allowCredentials: v.optional(v.boolean(), false),
    allowPrivateNetworkAccess: v.optional(v.boolean(), false),
    /** Lets a preflight of an origin that is not allowed through to the upstream; false answers it here (true). */
    forwardNotMatchingPreflights: v.optional(v.boolean(), true),
    /** Share of the requests that the policy holds for (100). */
    enabledPercent: percent(100),
    /** Share of the others for which it is only evaluated and counted (0). */
    shadowPercent: percent(0),
  }),
  v.check(
    (policy) => !(policy.allowCredentials && policy.allowOrigins.includes('*')),
    'origins by name where credentials are allowed: "*" would let every site act for the user',
  ),
);
export type CorsConfig = v.InferOutput<typeof config>;

/**
 * Cross-origin resource sharing (Fetch standard, Envoy's CorsPolicy): answers preflights of allowed origins and adds
 * the headers that let the browser hand the response to the page. A preflight needs a route that matches OPTIONS.
 *
 * @example
 * filters:
 *   - name: cors
 *     config: { allowOrigins: ["https://app.example", { suffix: ".app.example" }], allowMethods: [GET, PUT], maxAgeSeconds: 600 }
 */
export const cors: StreamFilterDefinition<CorsConfig> = {
  name: 'cors',
  stage: 'afterRoute',
  config,
  create: (own, context) => createHooks(own, context),
};

function createHooks(own: CorsConfig, context: FilterContext): StreamFilter {
  const { metrics, random, slot } = context;
  const configs = new RouteConfigs(slot, own, (each: CorsConfig) => new Policy(each));
  const valid = filterCounter(context, 'cors', 'origin_valid');
  const invalid = filterCounter(context, 'cors', 'origin_invalid');
  return shapeHooks({
    onRequestHead(s) {
      const index = s.req.find('origin');
      if (index < 0) return Verdict.continue;
      const policy = configs.of(s);
      const force = policy === null ? 'off' : policy.force(random);
      if (policy === null || force === 'off') return Verdict.continue;
      const allowed = policy.judge(s.req, index);
      countOne(metrics, allowed !== null ? valid : invalid);
      if (force === 'shadow') return Verdict.continue;
      const isPreflight = s.req.method === 'OPTIONS' && s.req.has('access-control-request-method');
      if (!isPreflight) {
        if (allowed !== null) s.attributes[slot] = allowed;
        return Verdict.continue;
      }
      if (allowed !== null) return policy.answerPreflight(s, allowed);
      return policy.forwardsOthers ? Verdict.continue : s.reply(200, '');
    },
    onResponseHead(s) {
      const allowed = s.attributes[slot] as HeaderField | undefined;
      if (allowed !== undefined) configs.of(s)?.decorate(s.res, allowed);
      return Verdict.continue;
    },
  });
}

/** A configuration with its header bytes. */
class Policy {
  readonly forwardsOthers: boolean;
  readonly #isPublic: boolean;
  readonly #exact: ReadonlyMap<string, HeaderField>;
  readonly #patterns: readonly HeaderConditions[];
  readonly #forPreflight: readonly HeaderField[];
  readonly #forResponse: readonly HeaderField[];
  readonly #config: CorsConfig;
  /** The origin seen last, mostly the next one too, and what was decided: one comparison of bytes instead of 120 ns. */
  #last: Buffer | null = null;
  #lastField: HeaderField | null = null;

  constructor(own: CorsConfig) {
    this.#config = own;
    this.forwardsOthers = own.forwardNotMatchingPreflights;
    const plain = own.allowOrigins.filter((each) => typeof each === 'string');
    this.#isPublic = plain.includes('*');
    this.#exact = new Map(plain.map((origin) => [origin, headerField(allowOrigin, origin)]));
    this.#patterns = own.allowOrigins.filter((each) => typeof each !== 'string').map(originConditions);
    const credentials = own.allowCredentials ? [headerField('access-control-allow-credentials', 'true')] : [];
    this.#forPreflight = [
      ...credentials,
      ...listField('access-control-allow-methods', own.allowMethods),
      ...listField('access-control-allow-headers', own.allowHeaders),
      ...listField(
        'access-control-max-age',
        own.maxAgeSeconds === undefined ? [] : [String(own.maxAgeSeconds)],
      ),
    ];
    this.#forResponse = [...credentials, ...listField('access-control-expose-headers', own.exposeHeaders)];
  }

  force(random: Random): 'on' | 'shadow' | 'off' {
    const { enabledPercent, shadowPercent } = this.#config;
    if (enabledPercent >= 100 || random.next() * 100 < enabledPercent) return 'on';
    return shadowPercent > 0 && random.next() * 100 < shadowPercent ? 'shadow' : 'off';
  }

  /**
   * `access-control-allow-origin` for an origin that is allowed, null for any other.
   * @param index of the first Origin; a second one is a forgery
   */
  judge(head: HeadView, index: number): HeaderField | null {
    if (head.findNext('origin', index + 1) >= 0) return null;
    const last = this.#last;
    if (last === null || !head.hasBytes(index, last)) {
      const origin = head.valueAt(index);
      this.#last = Buffer.from(origin, 'latin1');
      this.#lastField = this.#allows(head, origin) ? this.#fieldFor(origin) : null;
    }
    return this.#lastField;
  }

  #allows(head: HeadView, origin: string): boolean {
    if (this.#isPublic || this.#exact.has(origin)) return true;
    return this.#patterns.some((each) => each.hold(head));
  }

  /** Made once for origins that are configured. */
  #fieldFor(origin: string): HeaderField {
    if (this.#isPublic) return everybody;
    return this.#exact.get(origin) ?? headerField(allowOrigin, origin);
  }

  answerPreflight(s: Stream, allowed: HeaderField): Verdict {
    const wantsPrivate = s.req.get('access-control-request-private-network') === 'true';
    const verdict = s.reply(200, '');
    this.#allow(s.res, allowed);
    for (const field of this.#forPreflight) s.res.addField(field);
    if (wantsPrivate && this.#config.allowPrivateNetworkAccess) s.res.addField(privateNetwork);
    return verdict;
  }

  /** Replaces what the upstream said about the same. */
  decorate(head: HeadView, allowed: HeaderField): void {
    if (!head.lacks(ownBits)) {
      for (let i = 0; i < ownHeaders.length; i++) head.remove(ownHeaders[i] as string);
    }
    this.#allow(head, allowed);
    const fields = this.#forResponse;
    for (let i = 0; i < fields.length; i++) head.addField(fields[i] as HeaderField);
  }

  #allow(head: HeadView, allowed: HeaderField): void {
    head.addField(allowed);
    if (!this.#isPublic) head.addField(varyOrigin);
  }
}

const allowOrigin = 'access-control-allow-origin';
const everybody = headerField(allowOrigin, '*');
const varyOrigin = headerField('vary', 'origin');
const privateNetwork = headerField('access-control-allow-private-network', 'true');
const ownHeaders = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-expose-headers',
];
const ownBits = ownHeaders.reduce((bits, name) => bits | bitOfName(name), 0);

function originConditions(match: v.InferOutput<typeof pattern>): HeaderConditions {
  return new HeaderConditions([{ name: 'origin', invert: false, ...match }]);
}

function listField(name: string, values: readonly string[]): HeaderField[] {
  return values.length === 0 ? [] : [headerField(name, values.join(', '))];
}
