import * as v from 'valibot';
import { IpBlocks, parseIpAddress, parseIpBlock } from '../base/ip-address.ts';
import { type RepeatPlan, type StreamFilterDefinition, Verdict } from '../contract/stream-filter.ts';
import { clientAddressKey } from '../observe/access-log/stream-values.ts';
import { clientAddress, inProcess } from './client-address.ts';
import { countOne, filterCounter } from './count.ts';
import { noPlan, shapeHooks } from './hooks.ts';
import { RouteConfigs } from './route-config.ts';

/** Peers without an IP address, which a list may name. */
const words = ['unix', inProcess];
const isEntry = (text: string): boolean => words.includes(text) || parseIpBlock(text) !== null;

export const addressList = v.optional(
  v.array(
    v.pipe(v.string(), v.check(isEntry, 'an IP address, a block such as 10.0.0.0/8, "unix" or "in-process"')),
  ),
  [],
);
const config = v.pipe(
  v.strictObject({
    /** Who may pass; with this list nobody else may (none: everybody who is not denied). */
    allow: addressList,
    /** Who may not pass, even if allowed (none). */
    deny: addressList,
    /** Status of the refusal (403). */
    status: v.optional(v.pipe(v.number(), v.integer(), v.minValue(400), v.maxValue(599)), 403),
  }),
  v.check(
    (lists) => lists.allow.length + lists.deny.length > 0,
    'at least one of allow and deny must name somebody',
  ),
);
export type IpAccessConfig = v.InferOutput<typeof config>;

/** Decisions remembered per configuration: an address is looked up once, not once a request (6 ns against 300). */
const maxRemembered = 4096;
const refusal = { 'content-type': 'text/plain', 'x-heddle-error': 'ip_denied' };

/**
 * Lets requests pass by the address of the client: blocks of IPv4 and IPv6. The address is the connection's other end,
 * or what trusted proxies said when the filter forwarded-headers stands before this one. Fails closed: an address that
 * cannot be read is refused wherever a list could have refused it.
 *
 * @example
 * filters: [{ name: ip-access, config: { allow: [10.0.0.0/8, "2001:db8::/32"], deny: [10.0.13.0/24] } }]
 */
export const ipAccess: StreamFilterDefinition<IpAccessConfig> = {
  name: 'ip-access',
  stage: 'afterRoute',
  config,
  isSecurity: true,
  create(own, context) {
    const allowed = filterCounter(context, 'ip-access', 'allowed');
    const configs = new RouteConfigs(context.slot, own, (each: IpAccessConfig) => {
      const addresses = new AccessList(each);
      return { status: each.status, addresses, plan: planOf(addresses, allowed) };
    });
    const denied = filterCounter(context, 'ip-access', 'denied');
    const { metrics } = context;
    return shapeHooks({
      onRequestHead(s) {
        const list = configs.of(s);
        if (list === null) return Verdict.continue;
        if (list.addresses.mayPass(clientAddress(s))) {
          countOne(metrics, allowed);
          return Verdict.continue;
        }
        countOne(metrics, denied);
        return s.reply(list.status, 'ip_denied\n', refusal);
      },
      planRepeat(s) {
        if (s.metadata.has(clientAddressKey)) return null;
        const list = configs.of(s);
        return list === null ? noPlan : list.plan;
      },
    });
  },
};

const planOf = (addresses: AccessList, allowed: number): RepeatPlan => ({
  counts: [allowed],
  passes: ({ peer }) => addresses.mayPass(peer === null ? inProcess : peer.address),
});

/** Who may pass by address; also for connections. */
export class AccessList {
  readonly #allow: IpBlocks;
  readonly #deny: IpBlocks;
  readonly #config: Pick<IpAccessConfig, 'allow' | 'deny'>;
  readonly #decided = new Map<string, boolean>();
  /** The last one that was let pass: mostly it comes next, too. */
  #lastAllowed = '';

  constructor(own: Pick<IpAccessConfig, 'allow' | 'deny'>) {
    this.#config = own;
    this.#allow = new IpBlocks(own.allow);
    this.#deny = new IpBlocks(own.deny);
  }

  mayPass(address: string): boolean {
    if (address === this.#lastAllowed) return address !== '';
    const known = this.#decided.get(address) ?? this.#remember(address);
    if (known) this.#lastAllowed = address;
    return known;
  }

  #remember(address: string): boolean {
    const decision = this.#decide(address);
    if (this.#decided.size >= maxRemembered) this.#decided.clear();
    this.#decided.set(address, decision);
    return decision;
  }

  #decide(address: string): boolean {
    const { allow, deny } = this.#config;
    if (words.includes(address)) {
      return !deny.includes(address) && (allow.length === 0 || allow.includes(address));
    }
    const bytes = parseIpAddress(address);
    if (bytes === null || this.#deny.has(bytes)) return false;
    return allow.length === 0 || this.#allow.has(bytes);
  }
}
