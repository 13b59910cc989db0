import type { EffectiveConfig } from '../../core/contract/config.ts';
import type { Logger, LogLevel } from '../../core/contract/logger.ts';
import type { MetricsSnapshot } from '../../core/contract/metrics.ts';
import type { AdminAnswer, AdminSection } from '../../core/contract/state.ts';
import { version } from '../../version.ts';
import { mosnShape } from './config-shape.ts';
import { mosnStats } from './stats-shape.ts';

/** What MOSN's admin API needs of a mesh. */
export interface MosnSubject {
  readonly runtime: { readonly metrics: { totals(): MetricsSnapshot } };
  readonly config: EffectiveConfig;
  readonly isClosed: boolean;
  readonly isDraining: boolean;
}

/** MOSN's numbers of the states that a mesh goes through. */
const states = { running: 6, gracefulStopping: 8, stopped: 11 };
/** MOSN's feature gates; none of them means anything here. */
const features = ['auto_config', 'XdsMtlsEnable', 'PayLoadLimitEnable', 'MultiTenantMode'];
/** The environment holds secrets, and reads are open to whoever reaches the endpoint: names that hold none by custom. */
const openNames = /^(HEDDLE_|MOSN_|POD_|ISTIO_META_|HOSTNAME$|TZ$|LANG$)/;
/** The one logger, by what MOSN calls loggers. */
const logPath = 'stderr';

/** MOSN's `/api/v1/*`, so that what watches MOSN watches this as well. */
export function mosnSections(subject: MosnSubject, logger: Logger): AdminSection[] {
  const read = (name: string, answer: (query: URLSearchParams) => AdminAnswer): AdminSection => ({
    path: `api/v1/${name}`,
    summary: `as MOSN has it`,
    read: answer,
  });
  return [
    read('version', () => ({ body: `mosn version: heddle/${version}` })),
    read('config_dump', (query) => configDump(subject, query)),
    read('stats', (query) => stats(subject, query)),
    read('stats_glob', () => ({ body: globalStats(subject) })),
    read('states', () => ({ body: `pid=${process.pid}&state=${stateOf(subject)}\n` })),
    read('features', knownFeatures),
    read('env', environment),
    read('get_loglevel', () => ({ body: { [logPath]: mosnLevel(logger.level) } })),
    {
      path: 'api/v1/update_loglevel',
      summary: 'POST {"log_path": "stderr", "log_level": "INFO"} as MOSN has it',
      write: (_query, body) => updateLevel(logger, body),
    },
  ];
}

const failed = (status: number, error: string): AdminAnswer => ({
  status,
  body: `{\n\t"error": "${error}"\n}\n`,
  contentType: 'application/json',
});

function configDump({ config }: MosnSubject, query: URLSearchParams): AdminAnswer {
  const keys = [...query.keys()];
  const { listener, cluster, routers } = mosnShape(config);
  const mosn_config = { servers: [{}], cluster_manager: {} };
  if (keys.length === 0) return { body: { mosn_config, listener, cluster, routers } };
  if (keys.length > 1) return { status: 400, body: 'only support one parameter' };
  const key = keys[0] as string;
  const name = query.get(key) ?? '';
  const of = (named: Readonly<Record<string, object>>): AdminAnswer => ({
    body: (Object.hasOwn(named, name) ? named[name] : undefined) ?? {},
  });
  if (key === 'mosnconfig') return { body: mosn_config };
  if (key === 'allrouters') return { body: routers };
  if (key === 'allclusters') return { body: cluster };
  if (key === 'alllisteners') return { body: listener };
  if (key === 'router') return of(routers);
  if (key === 'cluster') return of(cluster);
  return key === 'listener' ? of(listener) : failed(500, 'internal error');
}

/** `?key=` is "type.namespace". */
function stats({ runtime }: MosnSubject, query: URLSearchParams): AdminAnswer {
  const all = mosnStats(runtime.metrics.totals());
  const keys = [...query.keys()];
  if (keys.length === 0) return { body: all };
  if (keys.length > 1) return { status: 400, body: 'only support one parameter' };
  const key = query.get('key') ?? '';
  const dot = key.indexOf('.');
  const [type, namespace] = [key.slice(0, dot), key.slice(dot + 1)];
  const found = Object.hasOwn(all, type) ? all[type]?.[namespace] : undefined;
  return { body: found === undefined ? `no metrics key: ${key}` : { [type]: { [namespace]: found } } };
}

function globalStats({ runtime }: MosnSubject): string {
  const all = mosnStats(runtime.metrics.totals())['downstream']?.['proxy.global'] ?? {};
  return Object.entries(all)
    .map(([key, value]) => `${key}:${value}\n`)
    .join('');
}

function stateOf({ isClosed, isDraining }: MosnSubject): number {
  if (isClosed) return states.stopped;
  return isDraining ? states.gracefulStopping : states.running;
}

function knownFeatures(query: URLSearchParams): AdminAnswer {
  if (query.has('key')) return { body: 'false' };
  return { body: Object.fromEntries(features.map((name) => [name, false])) };
}

function environment(query: URLSearchParams): AdminAnswer {
  const keys = query.getAll('key');
  if (keys.length === 0) return failed(400, 'no env key');
  const env: Record<string, string> = {};
  const missing: string[] = [];
  for (const key of keys) {
    const value = openNames.test(key) ? process.env[key] : undefined;
    if (value === undefined) missing.push(key);
    else env[key] = value;
  }
  return { body: { env, ...(missing.length === 0 ? {} : { not_found: missing }) } };
}

const levels: Readonly<Record<string, LogLevel>> = {
  FATAL: 'error',
  ERROR: 'error',
  WARN: 'warn',
  INFO: 'info',
  DEBUG: 'debug',
  TRACE: 'debug',
};

const mosnLevel = (level: LogLevel): string => (level === 'off' ? 'FATAL' : level.toUpperCase());

function updateLevel(logger: Logger, body: string): AdminAnswer {
  let given: unknown;
  try {
    given = JSON.parse(body);
  } catch {
    return failed(400, 'update logger failed');
  }
  const { log_path = '', log_level } = (given ?? {}) as { log_path?: unknown; log_level?: unknown };
  const level =
    typeof log_level === 'string' && Object.hasOwn(levels, log_level) ? levels[log_level] : undefined;
  if (level === undefined || (log_path !== '' && log_path !== logPath))
    return failed(400, 'update logger failed');
  logger.level = level;
  return { body: 'update logger success\n' };
}
