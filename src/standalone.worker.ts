/** One worker process of `heddle run --workers`: a mesh whose connections come from the supervisor. */
import { adminSections } from './assembly/admin-sections.ts';
import type {
  AdminCall,
  CountedMetrics,
  SectionFacts,
  SharedConfig,
  WorkerCalls,
  WorkerSetup,
} from './assembly/supervisor/worker-calls.ts';
import { formatProblems } from './core/config/problems.ts';
import type { Logger, LogLevel } from './core/contract/logger.ts';
import type { AdminAnswer, AdminSection } from './core/contract/state.ts';
import { createJsonLogger } from './core/observe/logger.ts';
import { loggerWith } from './core/observe/logger-with.ts';
import { createMesh, type Mesh } from './mesh.ts';
import { keepMemoryLow } from './process-memory.ts';
import { SystemClock } from './transport/index.ts';
import { PassedSockets } from './transport/supervisor/passed-sockets.ts';
import { ProcessLink } from './transport/supervisor/process-link.ts';

/** How long requests may go on when the supervisor is gone: nobody can be told of their end any more. */
const orphanDrainMs = 2000;

interface Running {
  readonly mesh: Mesh;
  readonly logger: Logger;
  readonly sections: readonly AdminSection[];
}

class ProxyWorker implements WorkerCalls {
  readonly #clock = new SystemClock();
  readonly #sockets: PassedSockets;
  #running: Running | null = null;
  #next: { decide(applies: boolean): void; done: Promise<unknown>; undo(): void } | null = null;

  constructor() {
    this.#sockets = new PassedSockets(
      new ProcessLink(process, {
        start: (setup: WorkerSetup) => this.start(setup),
        prepare: (next: SharedConfig) => this.prepare(next),
        commit: (level: LogLevel) => this.commit(level),
        abandon: () => this.abandon(),
        ping: () => this.ping(),
        metrics: () => this.metrics(),
        sections: () => this.sections(),
        admin: (call: AdminCall) => this.admin(call),
        logLevel: (level: LogLevel) => this.logLevel(level),
        reopenLogs: () => this.reopenLogs(),
        drain: (deadlineMs: number) => this.drain(deadlineMs),
      }),
      this.#clock,
    );
  }

  get #mesh(): Mesh | null {
    return this.#running?.mesh ?? null;
  }

  async start(setup: WorkerSetup): Promise<void> {
    const { shared, worker, workers, logLevel } = setup;
    const write = (line: string): void => void process.stderr.write(line);
    const logger = loggerWith(createJsonLogger(write, this.#clock, logLevel), { worker });
    this.#sockets.use(shared.places);
    const mesh = await createMesh(shared.config, {
      logger,
      surroundings: { clock: this.#clock, sockets: this.#sockets, processes: workers, ownsLoop: true },
    });
    this.#running = { mesh, logger, sections: adminSections(mesh, logger, this.#clock.now()) };
  }

  async prepare({ config, places }: SharedConfig): Promise<string> {
    const mesh = this.#mesh;
    if (mesh === null) return 'it has not started';
    const undo = this.#sockets.use(places);
    const ready = Promise.withResolvers<null>();
    const decision = Promise.withResolvers<boolean>();
    const approve = (): Promise<boolean> => {
      ready.resolve(null);
      return decision.promise;
    };
    const done = mesh.reload(config, { approve });
    // From now on: the supervisor may give up before this process is ready.
    const next = { decide: decision.resolve, done, undo };
    this.#next = next;
    let isReady = false;
    try {
      const refused = await Promise.race([ready.promise, done]);
      isReady = refused === null;
      return refused === null ? '' : formatProblems(refused.problems) || 'it was abandoned';
    } finally {
      if (!isReady && this.#next === next) {
        this.#next = null;
        undo();
      }
    }
  }

  async commit(level: LogLevel): Promise<void> {
    const next = this.#next;
    this.#next = null;
    next?.decide(true);
    await next?.done;
    this.logLevel(level);
  }

  async abandon(): Promise<void> {
    const next = this.#next;
    this.#next = null;
    next?.decide(false);
    await next?.done.catch(() => undefined);
    next?.undo();
  }

  ping(): void {}

  metrics(): CountedMetrics | null {
    const mesh = this.#mesh;
    if (mesh === null) return null;
    const startMs = this.#clock.now();
    const snapshot = mesh.runtime.metrics.snapshot();
    return { snapshot, tookMs: this.#clock.now() - startMs };
  }

  sections(): readonly SectionFacts[] {
    return (this.#running?.sections ?? []).map(({ path, summary, read, write }) => {
      return { path, summary, reads: read !== undefined, writes: write !== undefined };
    });
  }

  async admin({ path, isWrite, query, body }: AdminCall): Promise<AdminAnswer> {
    const section = this.#running?.sections.find((each) => each.path === path);
    const parameters = new URLSearchParams(query);
    const answer = isWrite ? await section?.write?.(parameters, body) : await section?.read?.(parameters);
    return answer ?? { status: 404, body: 'no such section\n' };
  }

  logLevel(level: LogLevel): void {
    if (this.#running !== null) this.#running.logger.level = level;
  }

  reopenLogs(): void {
    this.#mesh?.reopenLogs();
  }

  async drain(deadlineMs: number): Promise<CountedMetrics | null> {
    if (deadlineMs === 0) await this.#mesh?.close();
    else await this.#mesh?.drain(deadlineMs);
    return this.metrics();
  }
}

function run(): void {
  if (process.send === undefined) {
    process.stderr.write('this is a worker of "heddle run --workers" and is started by it\n');
    process.exitCode = 2;
    return;
  }
  keepMemoryLow();
  const worker = new ProxyWorker();
  // A terminal and a service manager signal the whole group: the supervisor decides for all.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  process.once('disconnect', () => {
    void worker.drain(orphanDrainMs).finally(() => process.exit(0));
  });
}

run();
