import { resolve } from 'node:path';
import { type ConfigFileOptions, checkConfigFile } from './config-file.ts';
import { messageOf } from './core/base/errors.ts';
import type { LoadResult } from './core/config/load.ts';
import { formatNotices } from './core/config/mosn/report.ts';
import { formatProblems } from './core/config/problems.ts';
import type { EffectiveConfig } from './core/contract/config.ts';
import type { LogFields, Logger } from './core/contract/logger.ts';
import type { ReloadResult } from './mesh-api.ts';
import { createFileAccess } from './transport/files.ts';
import { SystemClock } from './transport/system-clock.ts';

export interface ReloaderOptions extends ConfigFileOptions {
  /** YAML or JSON, ours or MOSN's. */
  readonly configPath: string;
  readonly logger: Logger;
}

/**
 * Reads the configuration file of a running proxy again: when told to, and when the file changes. What cannot be read,
 * is not valid or cannot be applied is logged and changes nothing. Reloads run one after the other.
 */
export class ConfigReloader {
  readonly #options: ReloaderOptions;
  readonly #apply: (next: EffectiveConfig) => Promise<ReloadResult>;
  readonly #facts: LogFields;
  #reloading: Promise<unknown> = Promise.resolve();
  #unwatch: () => void = () => {};

  /**
   * @param apply throws where the running configuration stays
   * @param facts for the log, beside the file
   */
  constructor(
    options: ReloaderOptions,
    apply: (next: EffectiveConfig) => Promise<ReloadResult>,
    facts: LogFields = {},
  ) {
    this.#options = options;
    this.#apply = apply;
    this.#facts = facts;
  }

  /** Reloads whenever the file changes, until `unwatch`. */
  watch(): void {
    const onChange = (): void => void this.reload();
    this.#unwatch = createFileAccess(new SystemClock()).watch(resolve(this.#options.configPath), onChange);
  }

  unwatch(): void {
    this.#unwatch();
  }

  /** Never rejects. */
  reload(): Promise<ReloadResult> {
    const next = this.#reloading.then(() => this.#reloadNow());
    this.#reloading = next;
    return next;
  }

  async #reloadNow(): Promise<ReloadResult> {
    const { logger, configPath } = this.#options;
    try {
      const loaded = await checkConfigFile(configPath, this.#options);
      if (loaded.config === null) {
        logger.error('reload refused, the running configuration stays', {
          problems: formatProblems(loaded.problems),
        });
        return { applied: false, problems: loaded.problems };
      }
      const result = await this.#apply(loaded.config);
      tellNotices(loaded, this.#options);
      logger.info('configuration reloaded', { file: configPath, ...this.#facts });
      return result;
    } catch (thrown) {
      logger.error('reload failed, the running configuration stays', { error: messageOf(thrown) });
      return { applied: false, problems: [] };
    }
  }
}

/** Logs what of a configuration made for another proxy has no effect here, or another one. */
export function tellNotices({ notices }: LoadResult, { logger, configPath }: ReloaderOptions): void {
  if (notices.length === 0) return;
  logger.warn('parts of the configuration have no effect, or another one than where they come from', {
    file: configPath,
    notices: formatNotices(notices),
  });
}
