import type { ConfigSchema, ExtensionContext } from './extension.ts';
import type { Stream } from './stream.ts';

/** Decides whether one more may pass. Synchronous; a refusal is a value, never an Error. */
export interface Limiter {
  /** True: passes (and counts). `s` may be null for limits that are not about streams. */
  tryAcquire(s: Stream | null, tokens: number): boolean;
  /** For limits on concurrency; a no-op for rates. */
  release(s: Stream | null): void;
  /** Milliseconds until a refused caller should try again, for `retry-after`; 0 = unknown. */
  retryAfterMs(): number;
}

export interface LimiterDefinition<Config = unknown> {
  readonly name: string;
  readonly config: ConfigSchema<Config>;
  create(config: Config, context: ExtensionContext): Limiter;
}
