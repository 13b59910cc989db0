import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Fleet } from './assembly/supervisor/fleet.ts';
import { supervisorSections } from './assembly/supervisor/sections.ts';
import { configOfWorker } from './assembly/supervisor/shares.ts';
import type { SectionFacts, SharedConfig, WorkerSetup } from './assembly/supervisor/worker-calls.ts';
import { WorkerSlot } from './assembly/supervisor/worker-slot.ts';
import { type ConfigFileOptions, checkConfigFile, requireLoaded } from './config-file.ts';
import { ConfigReloader, tellNotices } from './config-reloader.ts';
import { HeddleError } from './core/base/errors.ts';
import { SeededRandom } from './core/base/random.ts';
import { siblingUrl } from './core/base/sibling.ts';
import { dumpConfig, revealed } from './core/config/dump.ts';
import type { AdminConfig, EffectiveConfig } from './core/contract/config.ts';
import type { Logger, LogLevel } from './core/contract/logger.ts';
import type { ReloadResult } from './mesh.ts';
import { standard } from './standard.ts';
import { AdminEndpoint, type PreparedAdmin } from './transport/admin/endpoint.ts';
import { AdminServer } from './transport/admin/server.ts';
import { SystemClock } from './transport/index.ts';
import { SharedSockets, type WantedPlace } from './transport/supervisor/shared-sockets.ts';

/** How often what the workers count is fetched, unless that is much; one that is killed takes what it counted since with it. */
const beatMs = 1000;
const mostWorkers = 256;

export interface SupervisorOptions extends Omit<ConfigFileOptions, 'use'> {
  /** YAML or JSON, ours or MOSN's. */
  readonly configPath: string;
  /** Worker processes, 1 to 256, or `auto`: one for each core that the process may use. */
  readonly workers: number | 'auto';
  readonly logger: Logger;
  /** Wins over the configuration's `log.level`, which is used otherwise, after a reload too. */
  readonly logLevel?: LogLevel;
  /** Reload when the file changes. @default true */
  readonly watches?: boolean;
  /** Settings of `createMonitor`, plain data: each worker profiles itself. Wins over the configuration's `monitor`. */
  readonly monitor?: object;
}

/**
 * The standalone proxy on many cores: `heddle run --workers`. This process binds the addresses, accepts, and passes
 * each connection to the worker process that has fewest; it has the one admin endpoint. See docs/standalone.md.
 *
 *   clients -> [ supervisor: listening sockets, admin ] -> connection -> [ worker 1: mesh ] -> upstreams
 *                                                                        [ worker 2: mesh ]
 */
export class Supervisor implements AsyncDisposable {
  readonly #options: SupervisorOptions;
  readonly #clock = new SystemClock();
  readonly #sockets: SharedSockets;
  /** The same after a reload, so that tickets of before still count. */
  readonly #ticketSecret = randomBytes(32).toString('hex');
  readonly #fleet: Fleet;
  readonly #admin: AdminEndpoint = new AdminEndpoint((config) => this.#openAdmin(config));
  readonly #reloader: ConfigReloader;
  readonly #startedMs = this.#clock.now();
  readonly #closed = Promise.withResolvers<void>();
  #config: EffectiveConfig;
  #shared: SharedConfig | null = null;
  #sections: readonly SectionFacts[] = [];
  #collector: NodeJS.Timeout | null = null;
  #draining: Promise<void> | null = null;
  #closing: Promise<void> | null = null;

  /** @internal use `startSupervisor` */
  constructor(config: EffectiveConfig, options: SupervisorOptions) {
    this.#config = config;
    this.#options = options;
    this.#sockets = new SharedSockets(options.logger);
    const count = options.workers === 'auto' ? availableParallelism() : options.workers;
    const random = new SeededRandom(crypto.getRandomValues(new Uint32Array(1))[0] ?? 1);
    const slots = Array.from({ length: count }, (_, i) => this.#slot(i + 1, random));
    this.#fleet = new Fleet(slots, this.#clock, options.logger);
    this.#reloader = new ConfigReloader(options, (next) => this.#apply(next), { workers: count });
  }

  /** Listener name to the address in use. */
  get addresses(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#sockets.places.map(({ name, boundTo }) => [name, boundTo]));
  }

  /** "" when the configuration has no admin endpoint. */
  get adminAddress(): string {
    return this.#admin.address;
  }

  /** Of the processes that run, 0 for one that is being replaced. */
  get pids(): readonly number[] {
    return this.#fleet.slots.map(({ pid }) => pid);
  }

  /** The configuration in force, limits not yet shared out. */
  get config(): EffectiveConfig {
    return this.#config;
  }

  /** Resolves when all workers have ended, whoever asked for it. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** @internal */
  async start(): Promise<this> {
    try {
      const prepared = await this.#sockets.prepare(wantedPlaces(this.#config));
      prepared.commit();
      this.#shared = this.#sharedOf(this.#config, prepared.places);
      this.#useLevel(this.#config);
      await this.#fleet.start();
      this.#sections = await this.#fleet.askOne<readonly SectionFacts[]>('sections', []);
      await this.#admin.start(this.#config.admin);
    } catch (thrown) {
      await this.close();
      throw thrown;
    }
    this.#collector = setInterval(() => void this.#fleet.beat(), beatMs).unref();
    if (this.#options.watches !== false) this.#reloader.watch();
    return this;
  }

  /**
   * Reads the file again. All workers take it over or none does: each gets ready first, and one that cannot makes all
   * keep what they run. Reloads run one after the other.
   */
  reload(): Promise<ReloadResult> {
    return this.#reloader.reload();
  }

  /** Opens access logs anew after a rotation moved them. */
  reopenLogs(): void {
    void this.#fleet.tell('reopenLogs');
  }

  /** Stops accepting, lets all workers finish for up to `deadlineMs`, then ends them. @param deadlineMs default 30,000 */
  drain(deadlineMs = 30_000): Promise<void> {
    this.#draining ??= this.#end(deadlineMs);
    return this.#draining;
  }

  /** Ends all workers now. */
  close(): Promise<void> {
    this.#closing ??= this.#end(0);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #end(deadlineMs: number): Promise<void> {
    this.#reloader.unwatch();
    for (const slot of this.#fleet.slots) slot.keepEnded();
    if (deadlineMs > 0) await this.#sockets.stopAccepting();
    this.#sockets.close();
    await this.#fleet.end(deadlineMs);
    if (this.#collector !== null) clearInterval(this.#collector);
    await this.#admin.close();
    this.#closed.resolve();
  }

  #slot(worker: number, random: SeededRandom): WorkerSlot {
    const { logger } = this.#options;
    const monitor = this.#options.monitor ?? monitorOf(this.#config);
    return new WorkerSlot({
      worker,
      entry: siblingUrl('standalone.worker', import.meta.url),
      nodeArgs: monitor === undefined ? [] : ['--import', siblingUrl('monitor', import.meta.url)],
      env: monitor === undefined ? {} : { HEDDLE_MONITOR: JSON.stringify(monitor) },
      sockets: this.#sockets,
      clock: this.#clock,
      random,
      logger,
      setup: () => this.#setup(worker),
      catchUp: (slot) => this.#catchUp(slot),
      onEnd: () => this.#fleet.metrics.left(worker),
    });
  }

  #setup(worker: number): WorkerSetup {
    return {
      shared: this.#shared as SharedConfig,
      worker,
      workers: this.#fleet.slots.length,
      logLevel: this.#options.logger.level,
    };
  }

  /** Until it runs what all are to run, unless all end. */
  async #catchUp(slot: WorkerSlot): Promise<void> {
    await this.#fleet.catchUp(slot, () => (this.#closing === null ? this.#shared : null));
  }

  #sharedOf(config: EffectiveConfig, places: SharedConfig['places']): SharedConfig {
    return { config: configOfWorker(config, this.#fleet.slots.length, this.#ticketSecret), places };
  }

  #useLevel(config: EffectiveConfig): void {
    const { logger, logLevel } = this.#options;
    if (logLevel === undefined) logger.level = config.log.level;
  }

  /** @throws HeddleError why not; nothing has changed then */
  async #apply(next: EffectiveConfig): Promise<ReloadResult> {
    if (this.#draining !== null || this.#closing !== null) throw new HeddleError('ERR_MESH_CLOSED', 'reload');
    const sockets = await this.#sockets.prepare(wantedPlaces(next));
    const slots = this.#fleet.ready;
    const shared = this.#sharedOf(next, sockets.places);
    let admin: PreparedAdmin | null = null;
    let ready: readonly WorkerSlot[];
    try {
      admin = await this.#admin.prepare(next.admin);
      ready = await this.#fleet.prepare(slots, shared);
    } catch (thrown) {
      await Promise.allSettled(slots.map((slot) => slot.call('abandon')));
      await admin?.abandon();
      sockets.abandon();
      throw thrown;
    }
    this.#config = next;
    this.#shared = shared;
    this.#useLevel(next);
    await this.#fleet.commit(ready, shared, this.#options.logger.level);
    sockets.commit();
    // Those that began to serve meanwhile.
    await Promise.all(this.#fleet.ready.map((slot) => this.#catchUp(slot)));
    await admin.commit();
    return { applied: true, problems: [] };
  }

  #openAdmin(config: AdminConfig): Promise<AdminServer> {
    const { logger } = this.#options;
    const subject = {
      fleet: this.#fleet,
      logger,
      config: () => this.#config,
      isClosed: () => this.#closing !== null,
      isDraining: () => this.#draining !== null,
      upMs: () => this.#clock.now() - this.#startedMs,
      dump: () => dumpConfig(this.#config),
      drain: (deadlineMs?: number) => this.drain(deadlineMs),
    };
    return new AdminServer({
      address: config.address,
      token: config.token ?? null,
      sections: supervisorSections(subject, this.#sections),
      logger,
    }).start();
  }
}

function wantedPlaces({ listeners }: EffectiveConfig): WantedPlace[] {
  return listeners.map(({ name, address, limits, networkFilters }) => {
    const first = standard.networkFilters.find((each) => each.name === networkFilters[0]?.name);
    const isDatagram = first !== undefined && 'createDatagrams' in first;
    return { name, address, backlog: limits.backlog, isDatagram };
  });
}

/**
 * Runs the configuration of a file on several cores, its admin endpoint included.
 *
 * @throws HeddleError ERR_CONFIG_READ, ERR_CONFIG_INVALID with every problem, ERR_LISTENER_ADDRESS, ERR_OPTION_INVALID,
 * ERR_WORKER_PROCESS when a worker cannot start
 * @example
 * await using proxy = await startSupervisor({ configPath: 'heddle.yaml', workers: 'auto', logger });
 */
export async function startSupervisor(options: SupervisorOptions): Promise<Supervisor> {
  const { workers } = options;
  if (workers !== 'auto' && !(Number.isInteger(workers) && workers >= 1 && workers <= mostWorkers)) {
    throw new HeddleError('ERR_OPTION_INVALID', `workers: ${workers}; "auto" or 1 to ${mostWorkers}`);
  }
  const loaded = await checkConfigFile(options.configPath, options);
  tellNotices(loaded, options);
  return new Supervisor(requireLoaded(loaded), options).start();
}

/** Each worker can be asked at a socket of its own: "heddle watch <pid>". */
const monitorOf = ({ monitor }: EffectiveConfig): object | undefined =>
  monitor && { service: 'heddle', control: { listen: 'auto' }, ...(revealed(monitor) as object) };
