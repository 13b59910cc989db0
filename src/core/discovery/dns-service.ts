import { Backoff } from '../base/backoff.ts';
import type { Timer } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Endpoint } from '../contract/cluster.ts';
import type { RegistryContext } from '../contract/registry.ts';
import { type DnsTarget, dnsTarget, joinAddress } from './dns-names.ts';
import type { DnsConfig } from './dns-registry.ts';
import { plainEndpoint } from './endpoint-schema.ts';
import type { RegistryHealth } from './registry-health.ts';
import { ServiceFeed } from './service-feed.ts';

/** Share of the TTL by which a refresh may come early, so that many meshes do not ask in step. */
const jitter = 0.1;
/** Addresses taken from the answers for one service. */
const maxEndpoints = 10_000;

interface Answer {
  readonly endpoints: Endpoint[];
  readonly ttlSeconds: number;
}

/** One service of the DNS registry: resolves, publishes, waits for the TTL or backs off, resolves again. */
export class DnsService {
  readonly feed: ServiceFeed;
  readonly #config: DnsConfig;
  readonly #context: RegistryContext;
  readonly #health: RegistryHealth;
  readonly #targets: readonly DnsTarget[];
  readonly #backoff: Backoff;
  #timer: Timer | null = null;
  #isClosed = false;

  /** @throws HeddleError ERR_OPTION_INVALID */
  constructor(service: string, config: DnsConfig, context: RegistryContext, health: RegistryHealth) {
    this.#config = config;
    this.#context = context;
    this.#health = health;
    const names = config.names.length > 0 ? config.names : [service];
    // An SRV answer brings its own ports.
    const defaultPort = config.srv ? 1 : config.port;
    this.#targets = names.map((name) => dnsTarget(name, defaultPort));
    this.#backoff = new Backoff({ baseMs: config.backoffBaseMs, maxMs: config.backoffMaxMs }, context.random);
    this.feed = new ServiceFeed(service, context.clock, context.logger);
  }

  start(): void {
    void this.#refresh();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#health.forget(this.feed.service);
    this.feed.close();
  }

  async #refresh(): Promise<void> {
    this.#timer = null;
    let problem = '';
    let ttlSeconds = 0;
    try {
      const answer = await this.#resolveAll();
      ttlSeconds = answer.ttlSeconds;
      if (this.#isClosed) return;
      if (answer.endpoints.length === 0) problem = 'the answer is empty';
      else this.feed.publish(answer.endpoints);
    } catch (thrown) {
      problem = codeOf(thrown);
    }
    if (this.#isClosed) return;
    if (problem === '') this.#health.well(this.feed.service);
    else this.#health.trouble(this.feed.service, problem, this.feed.hasList);
    this.#wait(problem === '' ? this.#ttlMs(ttlSeconds) : this.#backoff.nextMs());
    if (problem === '') this.#backoff.reset();
  }

  #wait(delayMs: number): void {
    this.#timer = this.#context.clock.setTimer(delayMs, () => void this.#refresh());
  }

  #ttlMs(ttlSeconds: number): number {
    const { minTtlMs, maxTtlMs } = this.#config;
    const ttlMs = Math.max(minTtlMs, Math.min(maxTtlMs, ttlSeconds * 1000));
    return ttlMs * (1 - jitter * this.#context.random.next());
  }

  /** One name that fails fails all: a list without its hosts would drop them. */
  async #resolveAll(): Promise<Answer> {
    const answers = await Promise.all(
      this.#targets.map((target) => (this.#config.srv ? this.#resolveSrv(target) : this.#resolve(target))),
    );
    // Two names may well lead to one host.
    const byAddress = new Map<string, Endpoint>();
    for (const { endpoints } of answers) for (const each of endpoints) byAddress.set(each.address, each);
    const endpoints = [...byAddress.values()].slice(0, maxEndpoints);
    return { endpoints, ttlSeconds: Math.min(...answers.map((answer) => answer.ttlSeconds)) };
  }

  async #resolve(target: DnsTarget, facts: Partial<Endpoint> = {}): Promise<Answer> {
    const { host, port, isLiteral } = target;
    if (isLiteral) {
      return {
        endpoints: [plainEndpoint(joinAddress(host, port), facts)],
        ttlSeconds: Number.POSITIVE_INFINITY,
      };
    }
    const { addresses, ttlSeconds } = await this.#context.resolver.resolve(host, this.#config.family);
    return {
      endpoints: addresses.map((address) => plainEndpoint(joinAddress(address, port), facts)),
      ttlSeconds,
    };
  }

  /** RFC 2782: priority 0 is the best, as ours; a weight of 0 there means "little", not "nothing". */
  async #resolveSrv(target: DnsTarget): Promise<Answer> {
    const answer = await this.#context.resolver.resolveSrv(target.host);
    const ttlSeconds = answer.ttlSeconds;
    // The host "." says that the service is decidedly not there.
    const records = answer.records.filter((record) => record.host !== '' && record.host !== '.');
    const lowest = Math.min(...records.map((record) => record.priority));
    const settled = await Promise.allSettled(
      records.slice(0, maxEndpoints).map((record) => {
        const facts = {
          weight: Math.max(1, record.weight),
          priority: Math.min(127, record.priority - lowest),
        };
        return this.#resolve(dnsTarget(joinAddress(record.host.replace(/\.$/, ''), record.port), 0), facts);
      }),
    );
    const answers = known(settled);
    const endpoints = answers.flatMap((answer) => answer.endpoints);
    return { endpoints, ttlSeconds: Math.min(ttlSeconds, ...answers.map((answer) => answer.ttlSeconds)) };
  }
}

/** A record may outlive the name it leads to: those that decidedly have no address are left out, as long as one has. */
function known(settled: readonly PromiseSettledResult<Answer>[]): Answer[] {
  const answers: Answer[] = [];
  let missing: unknown = null;
  for (const each of settled) {
    if (each.status === 'fulfilled') answers.push(each.value);
    else if (!['ENOTFOUND', 'ENODATA'].includes(codeOf(each.reason))) throw each.reason;
    else missing = each.reason;
  }
  if (answers.length === 0 && missing !== null) throw missing;
  return answers;
}

/** The resolver's code (ENOTFOUND, ESERVFAIL, ETIMEOUT) if there is one. */
function codeOf(thrown: unknown): string {
  const code = (thrown as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : messageOf(thrown);
}
