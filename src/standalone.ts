import { type ConfigFileOptions, checkConfigFile, requireLoaded } from './config-file.ts';
import { ConfigReloader, tellNotices } from './config-reloader.ts';
import { revealed } from './core/config/dump.ts';
import type { AdminConfig, EffectiveConfig } from './core/contract/config.ts';
import type { Logger, LogLevel } from './core/contract/logger.ts';
import type { AdminSection } from './core/contract/state.ts';
import { createMesh, type Mesh, type MeshOptions, type ReloadResult } from './mesh.ts';
import { keepMemoryLow } from './process-memory.ts';
import { AdminEndpoint } from './transport/admin/endpoint.ts';
import type { AdminServer } from './transport/admin/server.ts';

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
  readonly startMonitor?: (settings: object) => Promise<StandaloneMonitor>;
  /**
   * The process is the proxy's own: its collector may be set so that resident memory stays low, and what is written
   * waits for the end of the loop turn. @default false
   */
  readonly ownsProcess?: boolean;
}

/** A monitor of the process, and what it adds to the admin endpoint. */
export interface StandaloneMonitor extends AsyncDisposable {
  readonly sections?: readonly AdminSection[];
  /** Joins `/metrics`, as text for Prometheus. */
  metrics?(): Promise<string>;
}

/** What runs beside the mesh and ends with it. */
interface Beside {
  readonly stopLooking: () => void;
  readonly monitor: StandaloneMonitor | undefined;
}

/** A mesh that runs from a file: `heddle run`. It reloads when the file changes or when told to, and drains on request. */
export class Standalone implements AsyncDisposable {
  readonly mesh: Mesh;
  readonly #options: StandaloneOptions;
  readonly #admin: AdminEndpoint;
  readonly #reloader: ConfigReloader;
  readonly #beside: Beside;

  /** @internal use `startStandalone` */
  constructor(mesh: Mesh, admin: AdminEndpoint, options: StandaloneOptions, beside: Beside) {
    this.mesh = mesh;
    this.#admin = admin;
    this.#options = options;
    this.#beside = beside;
    // A drain asked for by the admin endpoint ends here as well.
    void mesh.closed.then(() => this.#closeRest());
    this.#reloader = new ConfigReloader(options, (next) => this.#apply(next));
    if (options.watches !== false) this.#reloader.watch();
  }

  /** "" when the configuration has no admin endpoint. */
  get adminAddress(): string {
    return this.#admin.address;
  }

  /** Reads the file again. A bad one is reported and changes nothing. Reloads run one after the other. */
  reload(): Promise<ReloadResult> {
    return this.#reloader.reload();
  }

  async drain(deadlineMs?: number): Promise<void> {
    this.#reloader.unwatch();
    await this.mesh.drain(deadlineMs);
    await this.#closeRest();
  }

  async close(): Promise<void> {
    this.#reloader.unwatch();
    await this.mesh.close();
    await this.#closeRest();
  }

  async #closeRest(): Promise<void> {
    this.#reloader.unwatch();
    this.#beside.stopLooking();
    await this.#admin.close();
    await this.#beside.monitor?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #apply(next: EffectiveConfig): Promise<ReloadResult> {
    const { logger, logLevel } = this.#options;
    const admin = await this.#admin.prepare(next.admin);
    let result: ReloadResult;
    try {
      result = await this.mesh.reload(next);
    } catch (thrown) {
      await admin.abandon();
      throw thrown;
    }
    await admin.commit();
    if (logLevel === undefined) logger.level = next.log.level;
    return result;
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
  let monitor: StandaloneMonitor | undefined;
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
    const admin = new AdminEndpoint((config) => openAdmin(mesh, config, options.logger, beside.monitor));
    await admin.start(mesh.config.admin);
    return new Standalone(mesh, admin, options, beside);
  } catch (thrown) {
    await mesh.close();
    throw thrown;
  }
}

async function openAdmin(
  mesh: Mesh,
  config: AdminConfig,
  logger: Logger,
  monitor: StandaloneMonitor | undefined,
): Promise<AdminServer> {
  const [{ AdminServer }, { adminSections }] = await Promise.all([
    import('./transport/admin/server.ts'),
    import('./assembly/admin-sections.ts'),
  ]);
  return await new AdminServer({
    address: config.address,
    token: config.token ?? null,
    sections: withMonitor(adminSections(mesh, logger, mesh.runtime.clock.now()), monitor),
    logger,
  }).start();
}

function withMonitor(
  sections: readonly AdminSection[],
  monitor: StandaloneMonitor | undefined,
): readonly AdminSection[] {
  if (monitor === undefined) return sections;
  // A monitor that has stopped has nothing to tell; the rest of the page goes on.
  const more = async (): Promise<string> => (await monitor.metrics?.().catch(() => '')) ?? '';
  const joined = sections.map((section): AdminSection => {
    if (section.path !== 'metrics') return section;
    return {
      ...section,
      read: async (query) => {
        const [answer, text] = await Promise.all([section.read?.(query), more()]);
        return { ...answer, body: `${answer?.body}${text}` };
      },
    };
  });
  return [...joined, ...(monitor.sections ?? [])];
}
