import type { Endpoint } from './cluster.ts';
import type { ConfigSchema, ExtensionContext } from './extension.ts';
import type { HasHealth } from './state.ts';

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
  close(): Promise<void>;
}

export interface RegistryDefinition<Config = unknown> {
  readonly name: string;
  readonly config: ConfigSchema<Config>;
  /** Its lists stand in its configuration: nothing of them need be remembered on disk (false). */
  readonly isFixed?: boolean;
  create(config: Config, context: RegistryContext): Registry;
}

/** The disk and the resolver are injected: core opens nothing. */
export interface RegistryContext extends ExtensionContext {
  readonly files: FileAccess;
  readonly resolver: Resolver;
}

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
