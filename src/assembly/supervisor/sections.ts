import { messageOf } from '../../core/base/errors.ts';
import type { EffectiveConfig } from '../../core/contract/config.ts';
import type { Logger } from '../../core/contract/logger.ts';
import type { AdminAnswer, AdminSection } from '../../core/contract/state.ts';
import { formatPrometheus, prometheusContentType } from '../../core/observe/prometheus.ts';
import { numberOf, setLevel, statsAnswer } from '../admin-sections.ts';
import { mosnSections } from '../mosn-api/sections.ts';
import type { Fleet } from './fleet.ts';
import { type HealthPart, healthAnswer, mergeAnswers, type WorkerAnswer } from './merge-answers.ts';
import type { AdminCall, SectionFacts } from './worker-calls.ts';
import type { WorkerSlot } from './worker-slot.ts';

/** What the admin endpoint of a supervisor needs. */
export interface SupervisorSubject {
  readonly fleet: Fleet;
  readonly logger: Logger;
  config(): EffectiveConfig;
  isClosed(): boolean;
  isDraining(): boolean;
  /** Milliseconds since the start. */
  upMs(): number;
  dump(): unknown;
  drain(deadlineMs?: number): Promise<void>;
}

/** @param known what a worker's own endpoint would have: what is not answered here is asked of the workers */
export function supervisorSections(
  subject: SupervisorSubject,
  known: readonly SectionFacts[],
): AdminSection[] {
  const own = ownSections(subject);
  const paths = new Set(own.map(({ path }) => path));
  const asked = known.filter(({ path }) => !paths.has(path)).map((facts) => askedSection(subject, facts));
  return [...own, ...asked];
}

function ownSections(subject: SupervisorSubject): AdminSection[] {
  return [
    {
      path: 'ready',
      summary: '200 while new requests are welcome, 503 from drain on',
      read: () => readyAnswer(subject),
    },
    { path: 'workers', summary: 'processes and their connections', read: () => ({ body: workers(subject) }) },
    { path: 'health', summary: 'state of each part with reasons', read: (query) => health(subject, query) },
    {
      path: 'stats',
      summary: 'counters, gauges, quantiles of all workers; ?filter=text',
      read: async (query) => {
        await subject.fleet.collect();
        return statsAnswer(subject.fleet.metrics.totals(), query);
      },
    },
    {
      path: 'metrics',
      summary: 'the same for Prometheus',
      read: async () => {
        await subject.fleet.collect();
        return { body: formatPrometheus(subject.fleet.metrics.totals()), contentType: prometheusContentType };
      },
    },
    {
      path: 'config_dump',
      summary: 'the effective configuration, secrets redacted',
      read: () => ({ body: subject.dump() }),
    },
    {
      path: 'drain',
      summary: 'POST: stop accepting, finish what runs, close; ?deadlineMs=30000',
      write: (query) => {
        subject.drain(numberOf(query, 'deadlineMs', 30_000)).catch((thrown: unknown) => {
          subject.logger.error('drain failed', { error: messageOf(thrown) });
        });
        return { status: 202, body: 'draining\n' };
      },
    },
    {
      path: 'log-level',
      summary: 'GET shows, POST ?level=debug changes it in all workers',
      read: () => ({ body: `${subject.logger.level}\n` }),
      write: async (query) => {
        const answer = setLevel(subject.logger, query);
        await subject.fleet.tell('logLevel', subject.logger.level);
        return answer;
      },
    },
    {
      path: 'uptime',
      summary: 'seconds since start',
      read: () => ({ body: `${Math.round(subject.upMs() / 1000)}\n` }),
    },
    ...mosnSections(mosnSubject(subject), subject.logger).map((section) => collecting(subject, section)),
  ];
}

function mosnSubject(subject: SupervisorSubject): Parameters<typeof mosnSections>[0] {
  return {
    get config() {
      return subject.config();
    },
    get isClosed() {
      return subject.isClosed();
    },
    get isDraining() {
      return subject.isDraining();
    },
    runtime: { metrics: { totals: () => subject.fleet.metrics.totals() } },
  };
}

/** MOSN's sections are answered here from what the workers count. */
function collecting(subject: SupervisorSubject, section: AdminSection): AdminSection {
  const { read, write } = section;
  return {
    ...section,
    ...(read === undefined
      ? {}
      : {
          read: async (query: URLSearchParams) => {
            await subject.fleet.collect();
            return await read(query);
          },
        }),
    ...(write === undefined
      ? {}
      : {
          write: async (query: URLSearchParams, body: string) => {
            const answer = await write(query, body);
            await subject.fleet.tell('logLevel', subject.logger.level);
            return answer;
          },
        }),
  };
}

function readyAnswer(subject: SupervisorSubject): AdminAnswer {
  if (subject.isDraining() || subject.isClosed()) return { status: 503, body: 'draining\n' };
  const isServed = subject.fleet.slots.some((slot) => slot.isReady);
  return isServed ? { body: 'ready\n' } : { status: 503, body: 'no worker serves\n' };
}

function workers(subject: SupervisorSubject): unknown {
  return subject.fleet.slots.map((slot) => ({
    worker: slot.worker,
    pid: slot.pid,
    state: slot.isReady ? 'serving' : slot.pid === 0 ? 'ended' : 'starting',
    restarts: slot.generation - 1,
    connections: slot.connections,
  }));
}

async function health(subject: SupervisorSubject, query: URLSearchParams): Promise<AdminAnswer> {
  const asked = await ask(subject, { path: 'health', isWrite: false, query: query.toString(), body: '' });
  const { parts } = mergeAnswers('health', asked).body as { parts: readonly HealthPart[] };
  return healthAnswer([...subject.fleet.slots.map(workerHealth), ...parts]);
}

function workerHealth(slot: WorkerSlot): HealthPart {
  const status = slot.isReady ? 'ok' : 'degraded';
  const reason = slot.isReady ? '' : `it is being replaced, attempt ${slot.failures}`;
  return { part: `worker ${slot.worker}`, status, reason, sinceMs: slot.startedMs };
}

function askedSection(subject: SupervisorSubject, facts: SectionFacts): AdminSection {
  const { path, summary, reads, writes } = facts;
  const section: AdminSection = { path, summary: `${summary}; ?worker=1 asks one` };
  const call = async (isWrite: boolean, query: URLSearchParams, body: string): Promise<AdminAnswer> =>
    mergeAnswers(path, await ask(subject, { path, isWrite, query: query.toString(), body }));
  if (reads) section.read = (query) => call(false, query, '');
  if (writes) section.write = (query, body) => call(true, query, body);
  return section;
}

/** Lists have versions of the worker that gave them: the next question is for the same one. */
const askedOfOne = /^v1\/registry\/(subscribe|list)$/;

/** All workers that serve, or the one that `?worker=` names. */
async function ask(subject: SupervisorSubject, call: AdminCall): Promise<WorkerAnswer[]> {
  const only = new URLSearchParams(call.query).get('worker');
  const wanted = subject.fleet.ready.filter(({ worker }) => only === null || String(worker) === only);
  const slots = askedOfOne.test(call.path) ? wanted.slice(0, 1) : wanted;
  const answers = await Promise.all(
    slots.map(async (slot): Promise<WorkerAnswer | null> => {
      // One that ends meanwhile has nothing to say.
      const answer = await slot.call<AdminAnswer>('admin', call).catch(() => null);
      return answer === null ? null : { worker: slot.worker, answer };
    }),
  );
  const given = answers.filter((each) => each !== null);
  if (given.length > 0 || call.path === 'health') return given;
  return [{ worker: 0, answer: { status: 503, body: 'no worker answers\n' } }];
}
