import { HeddleError, messageOf } from '../core/base/errors.ts';
import type { EffectiveConfig } from '../core/contract/config.ts';
import type { Logger, LogLevel } from '../core/contract/logger.ts';
import type { MetricsSnapshot } from '../core/contract/metrics.ts';
import type { AdminAnswer, AdminSection, Health } from '../core/contract/state.ts';
import type { LocalRegistry } from '../core/discovery/local/index.ts';
import { quantileOf } from '../core/observe/histogram-buckets.ts';
import { formatPrometheus, prometheusContentType } from '../core/observe/prometheus.ts';
import type { ClusterTable } from './clusters.ts';
import type { ListenerTable } from './listeners.ts';
import { localRegistrySections } from './local-registry/sections.ts';
import { mosnSections } from './mosn-api/sections.ts';
import type { Runtime } from './runtime.ts';

/** What the admin endpoint needs of a mesh. */
export interface AdminSubject {
  readonly runtime: Runtime;
  readonly clusters: ClusterTable;
  readonly listeners: ListenerTable;
  readonly localRegistry: { readonly registry: LocalRegistry };
  readonly config: EffectiveConfig;
  readonly isClosed: boolean;
  readonly isDraining: boolean;
  dump(): unknown;
  drain(deadlineMs?: number): Promise<void>;
}

const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'off'];
const maxShownHosts = 1000;

/** The built-in sections, in the order in which `GET /` lists them. */
export function adminSections(subject: AdminSubject, logger: Logger, startedMs: number): AdminSection[] {
  const ready = (): AdminAnswer => {
    const isReady = !subject.isDraining && !subject.isClosed;
    return { status: isReady ? 200 : 503, body: isReady ? 'ready\n' : 'draining\n' };
  };
  return [
    { path: 'ready', summary: '200 while new requests are welcome, 503 from drain on', read: ready },
    { path: 'health', summary: 'state of each part with reasons', read: () => healthAnswer(subject) },
    {
      path: 'stats',
      summary: 'counters, gauges, quantiles; ?filter=text',
      read: (query) => statsAnswer(subject.runtime.metrics.totals(), query),
    },
    {
      path: 'metrics',
      summary: 'the same for Prometheus',
      read: () => ({
        body: formatPrometheus(subject.runtime.metrics.totals()),
        contentType: prometheusContentType,
      }),
    },
    {
      path: 'clusters',
      summary: 'hosts, health, ejections; ?name=cluster',
      read: (query) => clusters(subject, query),
    },
    { path: 'listeners', summary: 'addresses and connections', read: () => ({ body: listeners(subject) }) },
    {
      path: 'config_dump',
      summary: 'the effective configuration, secrets redacted',
      read: () => ({ body: subject.dump() }),
    },
    {
      path: 'tls',
      summary: 'TLS of clusters; POST ?cluster=name&state=off or on: for connections made from then on',
      read: () => ({ body: tlsStates(subject) }),
      write: (query) => switchTls(subject, query),
    },
    {
      path: 'drain',
      summary: 'POST: stop accepting, finish what runs, close; ?deadlineMs=30000',
      write: (query) => {
        subject.drain(numberOf(query, 'deadlineMs', 30_000)).catch((thrown: unknown) => {
          logger.error('drain failed', { error: messageOf(thrown) });
        });
        return { status: 202, body: 'draining\n' };
      },
    },
    {
      path: 'log-level',
      summary: 'GET shows, POST ?level=debug changes',
      read: () => ({ body: `${logger.level}\n` }),
      write: (query) => setLevel(logger, query),
    },
    {
      path: 'uptime',
      summary: 'seconds since start',
      read: () => ({ body: `${Math.round((subject.runtime.clock.now() - startedMs) / 1000)}\n` }),
    },
    ...localRegistrySections(subject.localRegistry.registry),
    ...mosnSections(subject, logger),
  ];
}

/** `POST /log-level`. */
export function setLevel(logger: Logger, query: URLSearchParams): AdminAnswer {
  const level = query.get('level') as LogLevel | null;
  if (level === null || !logLevels.includes(level)) {
    return { status: 400, body: `level is one of ${logLevels.join(', ')}\n` };
  }
  logger.level = level;
  return { body: `${level}\n` };
}

/** The worst part decides; 503 when one has failed. */
export function healthAnswer(subject: AdminSubject): AdminAnswer {
  const parts = [
    ...subject.clusters.all.map((each) => ({ part: `cluster ${each.name}`, ...each.health() })),
    ...subject.clusters.registries
      .health()
      .map(({ name, health }) => ({ part: `registry ${name}`, ...health })),
    { part: 'local registry', ...subject.localRegistry.registry.health() },
    ...tlsOff(subject),
    ...subject.runtime.credentials.health().map(({ part, health }) => ({ part, ...health })),
  ];
  const worst = parts.some((each) => each.status === 'failed')
    ? 'failed'
    : parts.some((each) => each.status === 'degraded')
      ? 'degraded'
      : 'ok';
  const status: Health['status'] = worst;
  return { status: worst === 'failed' ? 503 : 200, body: { status, parts } };
}

/** Traffic in plain text that was meant to be encrypted is no state to forget. */
function tlsOff({ clusters }: AdminSubject): ({ part: string } & Health)[] {
  return clusters.names.flatMap((name) => {
    const sinceMs = clusters.tlsOf(name)?.offSinceMs ?? 0;
    const part = `tls of cluster ${name}`;
    return sinceMs === 0 ? [] : { part, status: 'degraded', reason: 'it is turned off', sinceMs };
  });
}

function tlsStates(subject: AdminSubject): unknown {
  return subject.clusters.names.flatMap((cluster) => {
    const tls = subject.clusters.tlsOf(cluster);
    return tls === null ? [] : { cluster, state: tls.isOff ? 'off' : 'on' };
  });
}

function switchTls(subject: AdminSubject, query: URLSearchParams): AdminAnswer {
  const tls = subject.clusters.tlsOf(query.get('cluster') ?? '');
  const state = query.get('state');
  if (tls === null) return { status: 404, body: 'no such cluster with TLS\n' };
  if (state !== 'on' && state !== 'off') return { status: 400, body: 'state is one of on, off\n' };
  tls.turn(state);
  return { body: `${state}\n` };
}

function clusters(subject: AdminSubject, query: URLSearchParams): AdminAnswer {
  const name = query.get('name');
  const all = subject.clusters.all.filter((each) => name === null || each.name === name);
  if (name !== null && all.length === 0) return { status: 404, body: 'no such cluster\n' };
  return {
    body: all.map((each) => ({
      ...each.stats(maxShownHosts),
      health: each.health(),
      ...discoveryOf(subject, each.name),
    })),
  };
}

/** Where the hosts come from, and why they may not be the newest. */
function discoveryOf({ clusters }: AdminSubject, name: string): { readonly discovery?: unknown } {
  const discovery = clusters.configOf(name)?.discovery;
  if (discovery === undefined) return {};
  const { name: registry, service } = discovery;
  return { discovery: { registry, service, trouble: clusters.registries.troubleOf(discovery) } };
}

function listeners(subject: AdminSubject): unknown {
  const streams = subject.listeners.all.map((each) => ({
    name: each.name,
    address: each.address,
    connections: each.connectionCount,
    isDraining: each.isDraining,
  }));
  const datagrams = subject.listeners.datagrams.all.map((each) => ({
    name: each.name,
    address: `udp:${each.address}`,
    sessions: each.connectionCount,
  }));
  return [...streams, ...datagrams];
}

/** `/stats`: counters, gauges and quantiles of what was counted. */
export function statsAnswer(snapshot: MetricsSnapshot, query: URLSearchParams): AdminAnswer {
  const filter = query.get('filter') ?? '';
  const shown: Record<string, unknown> = {};
  for (const series of snapshot.series) {
    const key = series.name + labelText(series.labels);
    if (!key.includes(filter)) continue;
    shown[key] = series.kind === 'histogram' ? quantiles(series.values) : series.values[0];
  }
  return { body: shown };
}

function quantiles(values: readonly number[]): Record<string, number | null> {
  const at = (quantile: number): number | null => {
    const value = quantileOf(values, quantile);
    return Number.isNaN(value) ? null : Math.round(value * 1000) / 1000;
  };
  return { count: values.at(-1) ?? 0, p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** A query parameter that is a number of milliseconds. @throws HeddleError ERR_OPTION_INVALID */
export function numberOf(query: URLSearchParams, name: string, byDefault: number): number {
  const text = query.get(name);
  if (text === null) return byDefault;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) {
    throw new HeddleError(
      'ERR_OPTION_INVALID',
      `${name}=${JSON.stringify(text)} is no number of milliseconds`,
    );
  }
  return value;
}
