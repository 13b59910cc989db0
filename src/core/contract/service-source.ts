import type { HasHealth } from './state.ts';

/**
 * What a registry of a service framework (Dubbo, SOFARPC) brings: small sources that know one wire and one layout.
 * `FrameworkRegistry` (core/discovery) joins them into service lists and keeps every rule that is not about the wire:
 * debounce, deltas, empty-push protection, retries of metadata, both levels and the switch between them.
 *
 *   mapping      service -> applications                  \
 *   instances    application -> addresses with a revision   > application-level list \
 *   metadata     application, revision -> services         /                          > what the cluster gets
 *   interfaces   interface -> provider URLs                --> interface-level list  /
 *   rules        consumer application -> migration rule (YAML), says which of the two
 */
export interface ServiceSources extends HasHealth {
  readonly mapping: MappingSource | null;
  readonly instances: InstanceSource | null;
  readonly metadata: MetadataSource | null;
  readonly interfaces: InterfaceSource | null;
  readonly rules: RuleSource | null;
  /** Null: this registry is only read. */
  readonly target: PublishTarget | null;
  close(): Promise<void>;
}

/** All calls come on later turns than the `watch`, or from inside it; none after it was stopped. */
export interface SourceWatcher<Item> {
  /** The source has answered. An answer that is the same as before may be told again. */
  change(change: SourceChange<Item>): void;
  /**
   * It cannot be read now: what was said before goes on. Told as often as the adapter likes: it is logged once for each
   * reason. The next `change` ends it. The adapter goes on trying by itself, with back-off.
   */
  trouble(reason: string): void;
}

export interface SourceChange<Item> {
  /** `put` is everything there is; what it does not name is gone. */
  readonly full: boolean;
  /** New or changed; the key of an item is said where its source is. */
  readonly put: readonly Item[];
  /** Keys. Nothing where `full`. */
  readonly removed: readonly string[];
  /** An empty list is meant: the registry itself saw the last one leave. Otherwise the last good list stays. */
  readonly isEmptyMeant?: boolean | undefined;
}

/** One process of an application (Dubbo 3, Spring Cloud, SOFARegistry 6). */
export interface ServiceInstance {
  readonly application: string;
  /** "host:port"; the key. */
  readonly address: string;
  /** Names the services that it provides; the same text means the same services. "" or "0" = none said. Opaque. */
  readonly revision: string;
  /** False: listed, but to get no traffic (true). */
  readonly isEnabled?: boolean | undefined;
  /** Everything else it says of itself. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Instances of an application; the key of an item is its `address`. */
export interface InstanceSource {
  watch(application: string, watcher: SourceWatcher<ServiceInstance>): () => void;
}

/** Applications that provide an interface, by name; the key of an item is itself. No mapping yet is an empty full change. */
export interface MappingSource {
  watch(service: string, watcher: SourceWatcher<string>): () => void;
}

/** The providers of an interface; an item is a whole provider URL, decoded, and its own key. */
export interface InterfaceSource {
  /**
   * @param interfaceName without group and version: the layout's folder; the model filters by both
   * @param asked for layouts that have them in the name (Nacos); "*" and "a,b" are possible
   */
  watch(
    interfaceName: string,
    watcher: SourceWatcher<string>,
    asked: { readonly group: string; readonly version: string; readonly protocol: string },
  ): () => void;
}

/** Texts of the registry's configuration centre. */
export interface RuleSource {
  /** @param watcher gets one item, the text of the rule, or none when there is no rule */
  watch(application: string, watcher: SourceWatcher<string>): () => void;
}

export interface MetadataSource {
  /**
   * What the instances of one revision provide. Rejects when it cannot be had now: the caller keeps what it has and asks
   * again with back-off.
   * @param instances of that revision, in random order: for `local` metadata one of them is asked, then the next
   * @returns null when nobody knows the revision (yet): as a failure, with another reason
   */
  fetch(
    application: string,
    revision: string,
    instances: readonly ServiceInstance[],
  ): Promise<ApplicationMetadata | null>;
}

/** The services of one revision of an application (Dubbo's MetadataInfo). */
export interface ApplicationMetadata {
  readonly application: string;
  readonly revision: string;
  /** By match key: `[group/]interface[:version][:protocol]`. */
  readonly services: ReadonlyMap<string, ServiceMetadata>;
}

export interface ServiceMetadata {
  /** Interface name. */
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly protocol: string;
  /** 0: that of the instance's address, or of its endpoint for the protocol. */
  readonly port: number;
  readonly path: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * Where publications go. Each call makes one thing so and rejects, after a time limit of its own, when that cannot be done
 * now; the model calls again with back-off, and puts everything back after `onLost`. Putting what is there already is no error.
 */
export interface PublishTarget {
  putInstance(instance: ServiceInstance): Promise<void>;
  removeInstance(instance: ServiceInstance): Promise<void>;
  putMetadata(metadata: ApplicationMetadata): Promise<void>;
  /** Adds `application` to those that provide `interfaceName`. Nothing removes it: others may provide it too. */
  putMapping(interfaceName: string, application: string): Promise<void>;
  putProvider(interfaceName: string, url: string): Promise<void>;
  removeProvider(interfaceName: string, url: string): Promise<void>;
  /** Calls back when what was put is gone: a session expired, a connection that carried it was lost and is back. */
  onLost(listener: () => void): () => void;
}
