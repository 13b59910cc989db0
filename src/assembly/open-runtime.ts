import type { ExtensionSet } from '../core/config/extensions.ts';
import type { Logger } from '../core/contract/logger.ts';
import { silentLogger } from '../core/observe/logger.ts';
import { createFileAccess } from '../transport/files.ts';
import { createLogOutputs, type OpenLogOutputs } from '../transport/log-output.ts';
import { createResolver } from '../transport/resolver.ts';
import { SystemClock } from '../transport/system-clock.ts';
import { isMonitored } from './pending-streams.ts';
import { enterProcess } from './process/enter.ts';
import { createRuntime, type Runtime, type Surroundings } from './runtime.ts';

/** A runtime on the machine's own clock, disk and resolver, as far as nothing else is given. */
export interface OpenedRuntime {
  readonly runtime: Runtime;
  /** Outputs that were opened here; null where the caller's are used. */
  readonly ownLogs: OpenLogOutputs | null;
}

export interface RuntimeWishes {
  readonly logger?: Logger;
  readonly tracksStreams?: boolean;
  readonly surroundings?: Partial<Surroundings>;
}

export function openRuntime(
  extensions: ExtensionSet,
  bufferLimitBytes: number,
  wishes: RuntimeWishes,
): OpenedRuntime {
  enterProcess(process.env);
  const given = wishes.surroundings ?? {};
  const clock = given.clock ?? new SystemClock();
  const logger = wishes.logger ?? given.logger ?? silentLogger;
  const ownLogs = given.logs === undefined ? createLogOutputs({ logger }) : null;
  const runtime = createRuntime(
    extensions,
    {
      ...given,
      clock,
      logger,
      logs: given.logs ?? (ownLogs as OpenLogOutputs),
      files: given.files ?? createFileAccess(clock),
      resolver: given.resolver ?? createResolver(),
    },
    { bufferLimitBytes, tracksStreams: wishes.tracksStreams ?? isMonitored() },
  );
  return { runtime, ownLogs };
}
