import type { ClusterKey } from './clusters.ts';
import type { MosnContext } from './context.ts';
import type { Section } from './section.ts';

/** Balancers by MOSN's names. */
const balancers: Readonly<Record<string, string>> = {
  LB_RANDOM: 'random',
  LB_ROUNDROBIN: 'roundRobin',
  LB_WEIGHTED_ROUNDROBIN: 'weighted',
  LB_LEAST_REQUEST: 'leastRequest',
  LB_LEAST_CONNECTION: 'leastConnection',
  LB_PEAK_EWMA: 'peakEwma',
  LB_MAGLEV: 'maglev',
  LB_REQUEST_ROUNDROBIN: 'roundRobin',
};

/** Which of MOSN's settings each balancer has. */
const choices: Readonly<Record<string, readonly string[]>> = {
  leastRequest: ['choice_count', 'active_request_bias'],
  leastConnection: ['choice_count'],
  peakEwma: ['choice_count', 'active_request_bias', 'client_error_bias', 'server_error_bias'],
};
const slowStarters = ['roundRobin', 'leastRequest'];

export function balancerOf(context: MosnContext, cluster: Section<ClusterKey>): object {
  const type = cluster.text('lb_type') || 'LB_ROUNDROBIN';
  const name = Object.hasOwn(balancers, type) ? (balancers[type] as string) : 'roundRobin';
  if (type === 'LB_ORIGINAL_DST') {
    context.report.unsupported(cluster.at('lb_type'), type, 'connections are not intercepted');
  } else if (type === 'LB_REQUEST_ROUNDROBIN') {
    const why = 'turns are those of the cluster; MOSN begins at the first host with each request';
    context.report.notice(cluster.at('lb_type'), type, why);
  } else if (!Object.hasOwn(balancers, type)) {
    const known = Object.keys(balancers);
    context.report.problem(cluster.at('lb_type'), type, known.join(', '), known);
  }
  const made: Record<string, unknown> = {};
  addChoices(context, cluster, name, made);
  addSlowStart(context, cluster, name, made);
  return {
    name,
    ...(Object.keys(made).length === 0 ? {} : { config: context.origins.mark(made, cluster.at('lbconfig')) }),
  };
}

function addChoices(
  context: MosnContext,
  cluster: Section<ClusterKey>,
  name: string,
  made: Record<string, unknown>,
): void {
  const names = ['choice_count', 'active_request_bias', 'client_error_bias', 'server_error_bias'] as const;
  const config = cluster.section('lbconfig', { read: names });
  if (config === null) return;
  for (const key of names) {
    const value = config.number(key);
    if (value === undefined || value === 0) continue;
    if (choices[name]?.includes(key) !== true) {
      context.report.notice(
        config.at(key),
        value,
        `no effect with ${cluster.text('lb_type') || 'LB_ROUNDROBIN'}`,
      );
      continue;
    }
    made[key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())] = value;
  }
}

function addSlowStart(
  context: MosnContext,
  cluster: Section<ClusterKey>,
  name: string,
  made: Record<string, unknown>,
): void {
  const slow = cluster.section('slow_start', {
    read: ['mode', 'slow_start_duration', 'aggression', 'min_weight_percent'],
  });
  const windowMs = slow?.durationMs('slow_start_duration');
  if (slow === null || windowMs === undefined) return;
  const mode = slow.text('mode');
  if (mode !== 'duration') {
    const why = 'no effect: MOSN knows the mode "duration" only';
    context.report.notice(slow.at('mode'), mode, why, ['duration']);
    return;
  }
  if (!slowStarters.includes(name)) {
    const why = `no effect with ${cluster.text('lb_type')}: slow start goes with LB_ROUNDROBIN and LB_LEAST_REQUEST`;
    context.report.notice(cluster.at('slow_start'), mode, why);
    return;
  }
  const share = slow.number('min_weight_percent');
  const aggression = slow.number('aggression');
  made['slowStart'] = {
    windowMs,
    ...(aggression ? { aggression } : {}),
    // MOSN's per cent are a share: 0.10 is a tenth.
    ...(share ? { minWeightPercent: share * 100 } : {}),
  };
}
