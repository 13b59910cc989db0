import { HeddleError } from '../base/errors.ts';
import type { Balancer, BalancerDefinition, Host, HostSet } from '../contract/cluster.ts';
import type { ExtensionConfig, SchemaIssue } from '../contract/extension.ts';
import type { Stream } from '../contract/stream.ts';
import { SubsetBalancer } from './selection/subset-balancer.ts';
import { TieredBalancer } from './selection/tiered-balancer.ts';
import { type ClusterDependencies, type ClusterSettings, defaultPanicThresholdPercent } from './settings.ts';

/** How a cluster chooses its hosts, over reloads. */
export class Selector {
  #current: Selection;
  /** Of a reload, until what it needs is made: nobody is to wait for it. */
  #next: Selection | null = null;
  readonly #dependencies: ClusterDependencies;

  /** @throws HeddleError ERR_CONFIG_INVALID */
  constructor(settings: ClusterSettings, dependencies: ClusterDependencies) {
    this.#dependencies = dependencies;
    this.#current = createSelection(settings, dependencies);
  }

  get usesStatistics(): boolean {
    return this.#current.usesStatistics;
  }

  get isPreparing(): boolean {
    this.#promote();
    return (this.#next ?? this.#current).balancer.isPreparing === true;
  }

  /** @throws HeddleError ERR_CONFIG_INVALID; nothing has changed then */
  change(settings: ClusterSettings, before: ClusterSettings, set: HostSet): void {
    if (sameSelection(settings, before)) return;
    const next = createSelection(settings, this.#dependencies);
    next.balancer.update(set);
    this.#next = next;
    this.#promote();
  }

  update(set: HostSet): void {
    this.#current.balancer.update(set);
    this.#next?.balancer.update(set);
  }

  pick(s: Stream): Host | null {
    if (this.#next !== null) this.#promote();
    return this.#current.balancer.pick(s);
  }

  #promote(): void {
    if (this.#next === null || this.#next.balancer.isPreparing === true) return;
    this.#current = this.#next;
    this.#next = null;
  }
}

interface Selection {
  readonly balancer: Balancer;
  readonly usesStatistics: boolean;
}

/** Priorities and zones around subsets around the configured balancer; what is not configured costs nothing. */
function createSelection(settings: ClusterSettings, dependencies: ClusterDependencies): Selection {
  const { definition, config } = chosenBalancer(settings, dependencies);
  const createLeaf = (): Balancer => definition.create(config, dependencies);
  const { subsets } = settings;
  const createInner = subsets === undefined ? createLeaf : () => new SubsetBalancer(subsets, createLeaf);
  const tiers = {
    overprovisioningPercent: settings.overprovisioningPercent ?? 140,
    panicThreshold: panicShare(settings),
    locality: settings.locality ?? null,
  };
  const balancer = new TieredBalancer(tiers, dependencies.random, createInner);
  return { balancer, usesStatistics: definition.usesStatistics === true };
}

/** Whether a reload chooses hosts as before, so that the selector that runs can stay. */
function sameSelection(a: ClusterSettings, b: ClusterSettings): boolean {
  const facts = (of: ClusterSettings): string =>
    JSON.stringify([
      of.loadBalancer.name,
      of.loadBalancer.config ?? {},
      of.subsets ?? null,
      of.locality ?? null,
      of.overprovisioningPercent ?? null,
      panicShare(of),
    ]);
  return facts(a) === facts(b);
}

/** Share of healthy hosts below which all get traffic, 0 to 1. */
export function panicShare(settings: ClusterSettings): number {
  return (settings.panicThresholdPercent ?? defaultPanicThresholdPercent) / 100;
}

function chosenBalancer(
  settings: ClusterSettings,
  dependencies: ClusterDependencies,
): { definition: BalancerDefinition; config: unknown } {
  const chosen: ExtensionConfig = settings.loadBalancer;
  const definition = dependencies.balancers.get(chosen.name);
  const where = `clusters.${settings.name}.loadBalancer`;
  if (definition === undefined) {
    const known = [...dependencies.balancers.keys()].join(', ');
    throw new HeddleError('ERR_CONFIG_INVALID', `${where}: "${chosen.name}" is none of ${known}`);
  }
  const result = definition.config['~standard'].validate(chosen.config ?? {});
  if (result instanceof Promise) {
    throw new HeddleError('ERR_CONFIG_INVALID', `${where}: the schema of "${chosen.name}" is asynchronous`);
  }
  if (result.issues !== undefined) {
    throw new HeddleError(
      'ERR_CONFIG_INVALID',
      `${where}.config: ${result.issues.map(issueText).join('; ')}`,
    );
  }
  return { definition, config: result.value };
}

function issueText(issue: SchemaIssue): string {
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
  return path === '' ? issue.message : `${path}: ${issue.message}`;
}
