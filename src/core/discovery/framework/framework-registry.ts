import { HeddleError } from '../../base/errors.ts';
import type {
  Publication,
  Published,
  Registry,
  RegistryContext,
  RegistryDelta,
} from '../../contract/registry.ts';
import type { ServiceSources } from '../../contract/service-source.ts';
import type { Health } from '../../contract/state.ts';
import { type MigrationRule, type MigrationStance, parseMigrationRule } from '../dubbo/migration-rule.ts';
import { parseServiceName, type ServiceName } from '../dubbo/service-name.ts';
import { FactsTable } from '../facts-table.ts';
import { RegistryHealth } from '../registry-health.ts';
import type { ApplicationLists } from './application-level.ts';
import { ApplicationList } from './application-list.ts';
import { dialects } from './dialects.ts';
import type { FrameworkConfig } from './framework-config.ts';
import { FrameworkService, type ServiceSurroundings } from './framework-service.ts';
import { Publications } from './publications.ts';

/**
 * A registry of a service framework: joins small sources (see `ServiceSources`) into service lists and keeps every rule
 * that is not about the wire. Services are named `[group/]interface[:version][?protocol=NAME]` or `application:NAME`;
 * each is subscribed to when somebody first asks, applications and their metadata once for all services.
 */
export class FrameworkRegistry implements Registry {
  readonly publish?: (publication: Publication) => Published;
  readonly #sources: ServiceSources;
  readonly #config: FrameworkConfig;
  readonly #context: RegistryContext;
  readonly #health: RegistryHealth;
  readonly #services = new Map<string, FrameworkService>();
  readonly #applications = new Map<string, ApplicationList>();
  readonly #facts = new FactsTable();
  readonly #around: ServiceSurroundings;
  readonly #publications: Publications | null;
  #rule: MigrationRule | null = null;
  #unwatchRule: (() => void) | null = null;

  /** @param name for logs and health. @param sources closed with the registry */
  constructor(name: string, sources: ServiceSources, config: FrameworkConfig, context: RegistryContext) {
    this.#sources = sources;
    this.#config = config;
    this.#context = context;
    this.#health = new RegistryHealth(name, context.clock, context.logger, context.metrics);
    this.#around = {
      sources,
      context,
      dialect: dialects[config.dialect].endpointOf,
      facts: this.#facts,
      lists: this.#lists(),
      health: this.#health,
      allowEmpty: config.allowEmpty,
      applicationsOf: (service) => config.providedBy[service] ?? config.providedBy['*'] ?? [],
      stanceOf: (asked, applications) => this.#stanceOf(asked, applications),
    };
    const { target } = sources;
    const levels = { hasInstances: sources.instances !== null, hasInterfaces: sources.interfaces !== null };
    this.#publications =
      target === null ? null : new Publications(target, config, levels, context, this.#health);
    if (this.#publications !== null) this.publish = this.#publications.publish;
  }

  /** @throws HeddleError ERR_OPTION_INVALID when no service can have such a name */
  subscribe(service: string, onDelta: (delta: RegistryDelta) => void): () => void {
    let entry = this.#services.get(service);
    if (entry === undefined) {
      const asked = parseServiceName(service);
      if (asked.isApplication && this.#sources.instances === null) {
        throw new HeddleError(
          'ERR_OPTION_INVALID',
          `service ${service}: this registry lists no applications`,
        );
      }
      this.#watchRule();
      entry = new FrameworkService(service, asked, this.#around);
      this.#services.set(service, entry);
    }
    const joined = entry;
    const unsubscribe = joined.feed.subscribe(onDelta);
    return () => {
      unsubscribe();
      if (joined.feed.listenerCount > 0 || this.#services.get(service) !== joined) return;
      this.#services.delete(service);
      joined.close();
    };
  }

  troubleOf(service: string): string {
    const own = this.#health.reasonOf(service);
    const { status, reason } = this.#sources.health();
    return own === '' && status !== 'ok' ? reason : own;
  }

  /** What is wrong with one of the services, or with the registry itself. */
  health(): Health {
    const own = this.#health.toHealth();
    const { status, reason, sinceMs } = this.#sources.health();
    if (status === 'ok' || own.status === 'failed') return own;
    const hasAll = [...this.#services.values()].every(({ feed }) => feed.hasList);
    const text = own.reason === '' ? reason : `${reason}; ${own.reason}`;
    return { status: hasAll ? 'degraded' : 'failed', reason: text, sinceMs };
  }

  async close(): Promise<void> {
    this.#unwatchRule?.();
    for (const service of this.#services.values()) service.close();
    this.#services.clear();
    await this.#publications?.close();
    await this.#sources.close();
  }

  #lists(): ApplicationLists {
    return {
      view: (name, asked, listener) => {
        const { instances, metadata } = this.#sources;
        if (instances === null) throw new HeddleError('ERR_BUG', 'no source of instances');
        let list = this.#applications.get(name);
        if (list === undefined) {
          list = new ApplicationList(name, { instances, metadata, facts: this.#facts }, this.#context);
          this.#applications.set(name, list);
        }
        const joined = list;
        const leave = joined.view(asked, listener);
        const close = (): void => {
          leave();
          if (joined.viewCount > 0 || this.#applications.get(name) !== joined) return;
          this.#applications.delete(name);
          joined.close();
        };
        return { list: joined, close };
      },
    };
  }

  #stanceOf(asked: ServiceName, applications: readonly string[]): MigrationStance {
    return this.#rule?.stanceOf(asked, applications) ?? this.#configured.stanceOf(asked, applications);
  }

  get #configured(): MigrationRule {
    const { migration } = this.#config;
    return { stanceOf: (asked) => migration.services[asked.interfaceName] ?? migration };
  }

  #watchRule(): void {
    const { rules } = this.#sources;
    const { application } = this.#config;
    if (rules === null || application === '' || this.#unwatchRule !== null) return;
    this.#unwatchRule = rules.watch(application, {
      change: ({ put, full }) => {
        if (put.length > 0 || full) this.#applyRule(put.at(-1) ?? '');
      },
      trouble: (reason) => this.#health.trouble('migration rule', reason, true),
    });
  }

  /** A rule that cannot be read changes nothing. */
  #applyRule(text: string): void {
    const rule = text.trim() === '' ? null : parseMigrationRule(text, this.#config.migration);
    if (typeof rule === 'string') {
      this.#health.trouble('migration rule', rule, true);
      return;
    }
    this.#health.well('migration rule');
    this.#rule = rule;
    for (const service of this.#services.values()) service.applyRule();
  }
}
