import type { RegistryContext } from '../../contract/registry.ts';
import type { ServiceSources } from '../../contract/service-source.ts';
import type { MigrationStance } from '../dubbo/migration-rule.ts';
import type { ServiceName } from '../dubbo/service-name.ts';
import type { FactsTable } from '../facts-table.ts';
import type { RegistryHealth } from '../registry-health.ts';
import { type FeedChange, ServiceFeed } from '../service-feed.ts';
import { ApplicationLevel, type ApplicationLists } from './application-level.ts';
import type { Level } from './level.ts';
import { LevelChoice, type LevelFacts, type LevelInUse } from './level-choice.ts';
import { ProviderList, type UrlDialect } from './provider-list.ts';
import { shareCalls } from './shared-list.ts';

/** What the services of one registry share. */
export interface ServiceSurroundings {
  readonly sources: ServiceSources;
  readonly context: RegistryContext;
  readonly dialect: UrlDialect;
  readonly facts: FactsTable;
  readonly lists: ApplicationLists;
  readonly health: RegistryHealth;
  readonly allowEmpty: boolean;
  /** Applications that are configured to provide a service. */
  applicationsOf(service: string): readonly string[];
  /** The rule of now. */
  stanceOf(asked: ServiceName, applications: readonly string[]): MigrationStance;
}

type Kind = 'application' | 'interface';

const nobody: LevelFacts = { isReady: true, size: 0 };

/**
 * One service: its two lists, the choice between them, and the feed that subscribers see.
 *
 *   application level --\
 *                        choice -> feed -> deltas        a switch replaces one list by the other: only what differs changes
 *   interface level   --/
 */
export class FrameworkService {
  readonly feed: ServiceFeed;
  readonly #asked: ServiceName;
  readonly #name: string;
  readonly #around: ServiceSurroundings;
  readonly #choice: LevelChoice;
  readonly #troubles = new Map<string, string>();
  #application: ApplicationLevel | null = null;
  #interfaces: ProviderList | null = null;
  #use: LevelInUse = 'none';
  /** Levels tell while they are made: that is looked at when they are. */
  #isOpening = false;
  #isClosed = false;

  constructor(name: string, asked: ServiceName, around: ServiceSurroundings) {
    this.#name = name;
    this.#asked = asked;
    this.#around = around;
    const { clock, logger } = around.context;
    this.feed = new ServiceFeed(name, clock, logger, {
      allowEmpty: around.allowEmpty,
      facts: around.facts,
      onRefused: () => this.#refused(),
    });
    this.#choice = new LevelChoice(around.stanceOf(asked, []), clock, () => this.look());
    this.look();
  }

  /** Which list serves. */
  get use(): LevelInUse {
    return this.#use;
  }

  /** The rule may say something else now. */
  applyRule(): void {
    this.#choice.change(this.#around.stanceOf(this.#asked, this.#application?.applications ?? []));
    this.look();
  }

  /** Opens and closes what the rule says, and passes on the list that serves. */
  look(): void {
    if (this.#isClosed) return;
    let answer = this.#choose();
    this.#open(answer.wantsApplication, answer.wantsInterface);
    answer = this.#choose();
    if (answer.use !== this.#use || answer.use === 'both') {
      this.#use = answer.use;
      this.#publish();
    }
    if (!answer.wantsApplication) this.#close('application');
    if (!answer.wantsInterface) this.#close('interface');
    this.#judge();
  }

  close(): void {
    this.#isClosed = true;
    this.#choice.close();
    this.#application?.close();
    this.#interfaces?.close();
    this.feed.close();
    this.#around.health.forget(this.#name);
  }

  #choose(): ReturnType<LevelChoice['choose']> {
    const { sources } = this.#around;
    const hasApplications = sources.instances !== null;
    const hasInterfaces = sources.interfaces !== null && !this.#asked.isApplication;
    const application = hasApplications ? factsOf(this.#application) : nobody;
    const interfaces = hasInterfaces ? factsOf(this.#interfaces) : nobody;
    if (hasApplications && hasInterfaces) return this.#choice.choose(application, interfaces);
    const kind = hasApplications ? 'application' : 'interface';
    const isReady = (hasApplications ? application : interfaces).isReady;
    return { use: isReady ? kind : 'none', wantsApplication: hasApplications, wantsInterface: hasInterfaces };
  }

  #open(wantsApplication: boolean, wantsInterface: boolean): void {
    const { sources, facts, lists, dialect } = this.#around;
    this.#isOpening = true;
    if (wantsApplication && this.#application === null) {
      const options = { applications: this.#around.applicationsOf(this.#name), mapping: sources.mapping };
      const listener = this.#listener('application');
      this.#application = new ApplicationLevel(this.#asked, options, lists, facts, listener);
    }
    if (wantsInterface && this.#interfaces === null && sources.interfaces !== null) {
      const listener = this.#listener('interface');
      this.#interfaces = new ProviderList(sources.interfaces, this.#asked, dialect, facts, listener);
    }
    this.#isOpening = false;
  }

  #close(kind: Kind): void {
    const level = kind === 'application' ? this.#application : this.#interfaces;
    if (level === null) return;
    level.close();
    if (kind === 'application') this.#application = null;
    else this.#interfaces = null;
    for (const key of this.#troubles.keys()) if (key.startsWith(`${kind} `)) this.#troubles.delete(key);
  }

  #listener(kind: Kind): ConstructorParameters<typeof ProviderList>[4] {
    return {
      onChange: (change) => this.#changed(kind, change),
      onTrouble: (source, reason) => this.#trouble(`${kind} ${source}`, reason),
    };
  }

  #changed(kind: Kind, change: FeedChange): void {
    if (this.#isOpening || this.#isClosed) return;
    const before = this.#use;
    if (kind === 'application') this.#choice.change(this.#stance());
    this.look();
    if (before !== this.#use || this.#use !== kind || change.put.length + change.removed.length === 0) return;
    if (change.put.length > 0) this.#trouble('list', '');
    this.feed.apply(change);
    this.#judge();
  }

  #stance(): MigrationStance {
    return this.#around.stanceOf(this.#asked, this.#application?.applications ?? []);
  }

  #publish(): void {
    const application = this.#application?.hosts ?? [];
    const interfaces = this.#interfaces?.hosts ?? [];
    if (this.#use === 'none') return;
    const list =
      this.#use === 'both'
        ? shareCalls(application, interfaces, this.#choice.stance.proportion)
        : [...(this.#use === 'application' ? application : interfaces)];
    if (!this.feed.publish(list)) this.#refused();
    else this.#trouble('list', '');
  }

  #refused(): void {
    this.#trouble('list', `the registry lists no host; the last ${this.feed.size} go on serving`);
  }

  #trouble(key: string, reason: string): void {
    if (reason === '') this.#troubles.delete(key);
    else this.#troubles.set(key, reason);
    if (!this.#isOpening) this.#judge();
  }

  #judge(): void {
    if (this.#isClosed) return;
    const [first] = this.#troubles;
    const { health } = this.#around;
    if (first === undefined) health.well(this.#name);
    else health.trouble(this.#name, first[1], this.feed.hasList);
  }
}

function factsOf(level: Level | null): LevelFacts {
  return level === null ? { isReady: false, size: 0 } : { isReady: level.isReady, size: level.hosts.size };
}
