import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

/**
 * A schema of the Standard Schema v1 family (standardschema.dev): valibot inside, zod, arktype or valibot for users.
 * Only synchronous validation is accepted.
 */
export interface ConfigSchema<Output = unknown, Input = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (
      value: unknown,
      options?: never,
    ) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What every extension may use; nothing else is ambient in core. */
export interface ExtensionContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Processes that share the traffic of this mesh: a limit over all of it is shared out among them (1). */
  readonly processes?: number | undefined;
}

/** `{ name, config }` in a configuration, filled from the extension list. */
export interface ExtensionConfig {
  readonly name: string;
  readonly config?: unknown;
}
