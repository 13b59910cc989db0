import type { MosnContext } from './context.ts';
import type { Keys, Section } from './section.ts';

type HealthCheckKey =
  | 'protocol'
  | 'timeout'
  | 'interval'
  | 'interval_jitter'
  | 'healthy_threshold'
  | 'unhealthy_threshold'
  | 'check_config';

export const healthCheckKeys: Keys<HealthCheckKey> = {
  read: [
    'protocol',
    'timeout',
    'interval',
    'interval_jitter',
    'healthy_threshold',
    'unhealthy_threshold',
    'check_config',
  ],
  ineffective: {
    initial_delay_seconds: 'the first checks are spread over the hosts from the start on',
    service_name: 'the check belongs to the cluster',
    event_log_path: 'changes of health stand in the log',
    common_callbacks: 'MOSN calls code that is compiled into it',
  },
};

const defaults = { timeoutMs: 1000, intervalMs: 15_000, jitterMs: 5 };

/** Without a protocol MOSN checks nothing; with one it does not know it looks whether a connection comes about. */
export function healthCheckOf(context: MosnContext, check: Section<HealthCheckKey>): object | null {
  const protocol = check.text('protocol');
  if (protocol === '') return null;
  const intervalMs = check.durationMs('interval') ?? defaults.intervalMs;
  const kind = protocol === 'Http1' ? httpKind(context, check) : tcpKind(check);
  const made = {
    ...kind,
    timeoutMs: kind.timeoutMs ?? check.durationMs('timeout') ?? defaults.timeoutMs,
    intervalMs,
    // MOSN asks as often while there is no traffic.
    noTrafficIntervalMs: intervalMs,
    intervalJitterMs: check.durationMs('interval_jitter') ?? defaults.jitterMs,
    intervalJitterPercent: 0,
    healthyThreshold: check.count('healthy_threshold') ?? 1,
    unhealthyThreshold: check.count('unhealthy_threshold') ?? 1,
  };
  const keys = {
    timeoutMs: check.at('timeout'),
    intervalMs: check.at('interval'),
    healthyThreshold: check.at('healthy_threshold'),
    unhealthyThreshold: check.at('unhealthy_threshold'),
    config: check.at('check_config'),
    name: check.at('protocol'),
  };
  return context.origins.mark(made, check, keys);
}

interface Kind {
  readonly name: string;
  readonly config?: object;
  readonly timeoutMs?: number;
}

function tcpKind(check: Section<HealthCheckKey>): Kind {
  if (check.has('check_config')) {
    const why = 'no effect: only Http1 has a check of its own, others try to connect';
    check.report.notice(check.at('check_config'), check.raw('check_config'), why);
  }
  return { name: 'tcp' };
}

function httpKind(context: MosnContext, check: Section<HealthCheckKey>): Kind {
  const outer = check.section('check_config', { read: ['http_check_config'] });
  const http = outer?.section('http_check_config', {
    read: ['port', 'timeout', 'path', 'method', 'domain', 'codes'],
    ineffective: { scheme: 'checks go in plain text' },
  });
  // Without it MOSN looks whether a connection comes about.
  if (http === null || http === undefined) return { name: 'tcp' };
  const port = http.count('port');
  const timeoutMs = http.durationMs('timeout');
  const statuses = codesOf(http);
  const config = {
    ...(port === undefined ? {} : { port }),
    path: http.text('path') || '/',
    method: http.text('method') || 'GET',
    ...(http.has('domain') ? { host: http.text('domain') } : {}),
    expectedStatuses: statuses,
  };
  const made = context.origins.mark(config, http, { path: http.at('path'), method: http.at('method') });
  return { name: 'http', config: made, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
}

/** Ranges, both ends included; without one MOSN takes 200 only. */
function codesOf(http: Section<'codes'>): string[] {
  const ranges = http.sections('codes', { read: ['Start', 'End'] }).map((range) => {
    const from = range.count('Start') ?? 200;
    return `${from}-${range.count('End') ?? from}`;
  });
  return ranges.length === 0 ? ['200'] : ranges;
}
