import { resolve } from 'node:path';
import { type ConfigFileOptions, checkConfigFile, requireLoaded } from './config-file.ts';
import { messageOf } from './core/base/errors.ts';
import { revealed } from './core/config/dump.ts';
import type { LoadResult } from './core/config/load.ts';
import { formatNotices } from './core/config/mosn/report.ts';
import { formatProblems } from './core/config/problems.ts';
import type { AdminConfig } from './core/contract/config.ts';
import type { Logger, LogLevel } from './core/contract/logger.ts';
import { createMesh, type Mesh, type MeshOptions, type ReloadResult } from './mesh.ts';
import { keepMemoryLow } from './process-memory.ts';
import type { AdminServer } from './transport/admin/server.ts';
import { createFileAccess } from './transport/files.ts';
import { SystemClock } from './transport/system-clock.ts';

export interface StandaloneOptions extends Omit<MeshOptions, 'logger' | 'use'>, ConfigFileOptions {
  /** YAML or JSON, ours or MOSN's. */
  readonly configPath: string;
  readonly logger: Logger;
  /** Wins over the configuration's `log.level`, which is used otherwise, after a reload too. */
  readonly logLevel?: LogLevel;
  /** Reload when the file changes. @default true */
  readonly watches?: boolean;
  /** Settings of the monitor; they win over the configuration's `monitor`. */
  readonly monitor?: object;
  /** Starts a monitor with such settings. @default there is none */
  readonly startMonitor?: (settings: object) => Promise<AsyncDisposable>;
  /**
   * The process is the proxy's own: its collector may be set so that resident memory stays low, and what is written
   * waits for the end of the loop turn. @default false
   */
  readonly ownsProcess?: boolean;
}

/** What runs beside the mesh and ends with it. */
interface Beside {
  readonly stopLooking: () => void;
  readonly monitor: AsyncDisposable | undefined;
}

/** A mesh that runs from a file: `heddle run`. It reloads when the file changes or when told to, and drains on request. */
export class Standalone implements AsyncDisposable {
  readonly mesh: Mesh;
  readonly #options: StandaloneOptions;
  #admin: AdminServer | null;
  readonly #unwatch: () => void;
  readonly #beside: Beside;
  #reloading: Promise<unknown> = Promise.resolve();

  /** @internal use `startStandalone` */
  constructor(mesh: Mesh, admin: AdminServer | null, options: StandaloneOptions, beside: Beside) {
    this.mesh = mesh;
    this.#admin = admin;
    this.#options = options;
    this.#beside = beside;
    // A drain asked for by the admin endpoint ends here as well.
    void mesh.closed.then(() => this.#closeRest());
    const onChange = (): void => void this.reload();
    this.#unwatch =
      options.watches === false
        ? () => {}
        : createFileAccess(new SystemClock()).watch(resolve(options.configPath), onChange);
  }

  /** "" when the configuration has no admin endpoint. */
  get adminAddress(): string {
    return this.#admin?.address ?? '';
  }

  /** Reads the file again. A bad one is reported and changes nothing. Reloads run one after the other. */
  reload(): Promise<ReloadResult> {
    const next = this.#reloading.then(() => this.#reloadNow());
    this.#reloading = next.catch(() => undefined);
    return next;
  }

  async drain(deadlineMs?: number): Promise<void> {
    this.#unwatch();
    await this.mesh.drain(deadlineMs);
    await this.#closeRest();
  }

  async close(): Promise<void> {
    this.#unwatch();
    await this.mesh.close();
    await this.#closeRest();
  }

  async #closeRest(): Promise<void> {
    this.#unwatch();
    this.#beside.stopLooking();
    await this.#admin?.close();
    await this.#beside.monitor?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The endpoint that the next configuration needs, listening already; the present one where its address stays. */
  #nextAdmin(next: AdminConfig | undefined): Promise<AdminServer | null> | AdminServer | null {
    if (next?.address === this.mesh.config.admin?.address) return this.#admin;
    return startAdmin(this.mesh, next, this.#options.logger);
  }

  async #useAdmin(admin: AdminServer | null, config: AdminConfig | undefined): Promise<void> {
    const before = this.#admin;
    this.#admin = admin;
    if (admin !== null) admin.token = config?.token ?? null;
    if (before !== admin) await before?.close();
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
      const admin = await this.#nextAdmin(loaded.config.admin);
      try {
        const result = await this.mesh.reload(loaded.config);
        await this.#useAdmin(admin, loaded.config.admin);
        if (this.#options.logLevel === undefined) logger.level = loaded.config.log.level;
        tellNotices(loaded, this.#options);
        logger.info('configuration reloaded', { file: configPath });
        return result;
      } catch (thrown) {
        if (admin !== this.#admin) await admin?.close();
        throw thrown;
      }
    } catch (thrown) {
      logger.error('reload failed, the running configuration stays', { error: messageOf(thrown) });
      return { applied: false, problems: [] };
    }
  }
}

/**
 * Runs the configuration of a file, its admin endpoint included.
 *
 * @throws HeddleError ERR_CONFIG_READ, ERR_CONFIG_INVALID with every problem, ERR_LISTENER_ADDRESS
 * @example
 * await using proxy = await startStandalone({ configPath: 'heddle.yaml', logger: silentLogger });
 */
export async function startStandalone(options: StandaloneOptions): Promise<Standalone> {
  const stopLooking = options.ownsProcess === true ? keepMemoryLow() : () => {};
  let monitor: AsyncDisposable | undefined;
  try {
    const loaded = await checkConfigFile(options.configPath, options);
    tellNotices(loaded, options);
    const config = requireLoaded(loaded);
    // Before the mesh: it keeps account of its streams where a monitor runs.
    const settings = options.monitor ?? (config.monitor && (revealed(config.monitor) as object));
    if (settings !== undefined) monitor = await options.startMonitor?.(settings);
    const surroundings = { ownsLoop: options.ownsProcess === true, ...options.surroundings };
    const mesh = await createMesh(config, { ...options, surroundings });
    return await withAdmin(mesh, options, { stopLooking, monitor });
  } catch (thrown) {
    stopLooking();
    await monitor?.[Symbol.asyncDispose]();
    throw thrown;
  }
}

async function withAdmin(mesh: Mesh, options: StandaloneOptions, beside: Beside): Promise<Standalone> {
  try {
    if (options.logLevel === undefined) options.logger.level = mesh.config.log.level;
    const admin = await startAdmin(mesh, mesh.config.admin, options.logger);
    return new Standalone(mesh, admin, options, beside);
  } catch (thrown) {
    await mesh.close();
    throw thrown;
  }
}

function tellNotices({ notices }: LoadResult, { logger, configPath }: StandaloneOptions): void {
  if (notices.length === 0) return;
  logger.warn('parts of the configuration have no effect, or another one than where they come from', {
    file: configPath,
    notices: formatNotices(notices),
  });
}

async function startAdmin(
  mesh: Mesh,
  admin: AdminConfig | undefined,
  logger: Logger,
): Promise<AdminServer | null> {
  if (admin === undefined) return null;
  const [{ AdminServer }, { adminSections }] = await Promise.all([
    import('./transport/admin/server.ts'),
    import('./assembly/admin-sections.ts'),
  ]);
  return await new AdminServer({
    address: admin.address,
    token: admin.token ?? null,
    sections: adminSections(mesh, logger, mesh.runtime.clock.now()),
    logger,
  }).start();
}
