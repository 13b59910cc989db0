import type { ConfigSchema, SchemaIssue } from '../contract/extension.ts';

/** What a pooled filter may cost. */
export interface PoolBounds {
  /** From being handed over to the verdict, the wait for a thread included (1000). */
  readonly timeoutMs: number;
  /** Old-space limit of each thread (64). */
  readonly maxHeapMb: number;
  /** (1) */
  readonly maxThreads: number;
  /** Messages that may wait for a thread; one more has no verdict (32). */
  readonly maxQueue: number;
  /** Longest body that the filter may give back (1048576). */
  readonly maxBodyBytes: number;
  /** refuse: a message without a verdict fails with 500; pass: it goes on as it came ("refuse"). */
  readonly onFailure: 'refuse' | 'pass';
}

/** The configuration of a pooled filter: its own keys, and the bounds. */
export type WithBounds<Config> = Config & { readonly pool: PoolBounds };

const defaults: PoolBounds = {
  timeoutMs: 1000,
  maxHeapMb: 64,
  maxThreads: 1,
  maxQueue: 32,
  maxBodyBytes: 1_048_576,
  onFailure: 'refuse',
};

const ranges: Readonly<Record<Exclude<keyof PoolBounds, 'onFailure'>, readonly [number, number]>> = {
  timeoutMs: [1, 600_000],
  maxHeapMb: [8, 4096],
  maxThreads: [1, 64],
  maxQueue: [1, 100_000],
  maxBodyBytes: [1, 1_073_741_824],
};

/** The schema of a pooled filter: `own` for its keys, and `pool` for the bounds. */
export function withBounds<Config extends object>(
  own: ConfigSchema<Config>,
  given: Partial<PoolBounds>,
): ConfigSchema<WithBounds<Config>> {
  return {
    '~standard': {
      version: 1,
      vendor: 'heddle',
      validate(value) {
        const { pool = {}, ...rest } = (typeof value === 'object' && value !== null ? value : {}) as {
          pool?: unknown;
        };
        const issues = issuesOf(pool);
        const result = own['~standard'].validate(rest);
        if (result instanceof Promise) throw new TypeError('only synchronous schemas are accepted');
        if (result.issues !== undefined || issues.length > 0)
          return { issues: [...issues, ...(result.issues ?? [])] };
        const bounds = { ...defaults, ...given, ...(pool as Partial<PoolBounds>) };
        return { value: { ...result.value, pool: bounds } };
      },
    },
  };
}

/** Takes the two apart again. */
export function boundsOf<Config extends object>(
  config: WithBounds<Config>,
): { readonly bounds: PoolBounds; readonly config: unknown } {
  const { pool, ...own } = config;
  return { bounds: pool, config: own };
}

function issuesOf(pool: unknown): SchemaIssue[] {
  if (typeof pool !== 'object' || pool === null) return [{ message: 'an object of bounds', path: ['pool'] }];
  const issues: SchemaIssue[] = [];
  for (const [key, value] of Object.entries(pool)) {
    const path = ['pool', key];
    if (key === 'onFailure') {
      if (value !== 'refuse' && value !== 'pass') issues.push({ message: 'refuse | pass', path });
    } else if (!Object.hasOwn(ranges, key)) {
      issues.push({ message: `no such bound; ${Object.keys(defaults).join(', ')} are known`, path });
    } else {
      const [least, most] = ranges[key as keyof typeof ranges];
      const isFine = Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
      if (!isFine) issues.push({ message: `an integer from ${least} to ${most}`, path });
    }
  }
  return issues;
}
