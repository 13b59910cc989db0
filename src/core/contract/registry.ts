import type { Endpoint } from './cluster.ts';
import type { CodecContext } from './codec.ts';
import type { ConfigSchema, ExtensionContext } from './extension.ts';
import type { HasHealth } from './state.ts';
import type { ClusterTlsConfig } from './tls-config.ts';
import type { Dialer } from './wire.ts';

/** A change of one service's list. `version` grows; a delta with `full` replaces everything known. */
export interface RegistryDelta {
  readonly service: string;
  readonly version: number;
  readonly full: boolean;
  readonly added: readonly Endpoint[];
  /** Addresses. */
  readonly removed: readonly string[];
  /** Same address, other weight, metadata, zone or priority. */
  readonly changed: readonly Endpoint[];
}

/** Where service lists come from. Errors never empty a list: the last good one serves and `health` says why. */
export interface Registry extends HasHealth {
  /** Calls back with a full delta first, then with changes, until the returned function is called. */
  subscribe(service: string, onDelta: (delta: RegistryDelta) => void): () => void;
  /** Why the list of `service` may not be the newest; "" = it is, or nobody asked for it. Absent: only `health` says it. */
  troubleOf?(service: string): string;
  /**
   * Says that this process serves `service` at an address, until it is withdrawn. Never rejects for a registry that is
   * down: the publication is kept, tried with back-off and put back after every reconnect, and `health` says so. Saying
   * the same again changes nothing; another endpoint for the same service and address replaces the facts.
   * Absent where a registry only lists.
   * @throws HeddleError ERR_REGISTRY_PUBLISH when it could never be published (a bad name or address)
   */
  publish?(publication: Publication): Published;
  /** Withdraws what is still published, as far as the registry answers, and lets go of everything. */
  close(): Promise<void>;
}

/** One address of one service, said by who serves it. */
export interface Publication {
  /** As a subscriber would name it. */
  readonly service: string;
  /** `metadata` goes along: version, group, methods and the like, as far as the registry's layout has a place for them. */
  readonly endpoint: Endpoint;
  /** Protocol at that address, such as "http", "dubbo", "tri" or "bolt"; "" = the registry's usual one (""). */
  readonly protocol?: string | undefined;
}

/** A publication that goes on until `withdraw`. */
export interface Published {
  /** Resolves when the registry has it for the first time; rejects with ERR_REGISTRY_CLOSED when it is withdrawn before. */
  readonly ready: Promise<void>;
  /** Takes it back; resolves when the registry no longer lists it, or cannot be asked. A second call joins the first. */
  withdraw(): Promise<void>;
}

export interface RegistryDefinition<Config = unknown> {
  readonly name: string;
  readonly config: ConfigSchema<Config>;
  /** Its lists stand in its configuration: nothing of them need be remembered on disk (false). */
  readonly isFixed?: boolean;
  create(config: Config, context: RegistryContext): Registry;
}

/** The disk, the resolver and the way to other processes are injected: core opens nothing. */
export interface RegistryContext extends ExtensionContext {
  readonly files: FileAccess;
  readonly resolver: Resolver;
  /** For registries behind a network: wires to their servers. */
  readonly dialer: RegistryDialer;
  /** For those whose wire is one of our codecs (Nacos: HTTP/2); they bring a `sink` of their own: `{ ...codec, sink }`. */
  readonly codec: CodecContext;
}

/** @param name of the registry, for errors and metrics. @throws HeddleError ERR_TLS_CONFIG */
export type RegistryDialer = (name: string, tls: ClusterTlsConfig | null, alpn: readonly string[]) => Dialer;

export interface FileAccess {
  readText(path: string): Promise<string>;
  /** Atomic: temporary file, then rename. */
  writeText(path: string, text: string, mode: number): Promise<void>;
  /** Calls back after a change, also by atomic rename or a swapped symbolic link; bursts are joined. */
  watch(path: string, onChange: () => void): () => void;
}

export interface Resolver {
  /** Both families; the smallest TTL in seconds. Rejects with a `code` (ENOTFOUND, ESERVFAIL, ETIMEOUT). */
  resolve(name: string, family: 'v4' | 'v6' | 'auto'): Promise<{ addresses: string[]; ttlSeconds: number }>;
  resolveSrv(name: string): Promise<{
    records: { host: string; port: number; weight: number; priority: number }[];
    ttlSeconds: number;
  }>;
}
