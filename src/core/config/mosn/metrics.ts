import type { MosnContext } from './context.ts';
import { type Keys, Section } from './section.ts';

const keys: Keys<'sinks'> = {
  read: ['sinks'],
  ineffective: {
    stats_matcher: 'series are bounded, none is left out',
    shm_zone: 'a successor takes the counts over without shared memory',
    shm_size: 'a successor takes the counts over without shared memory',
    flush_interval: 'MOSN has no such key any more',
    flush_mosn: 'all metrics are shown',
    lazy_flush: 'metrics are made when they are read',
    sample: 'histograms keep every value',
    ewma: 'histograms keep every value',
  },
};

/** `metrics`: what they are and where they are read is not for a file to say here. */
export function tellOfMetrics({ report }: MosnContext, root: Section<'metrics'>): void {
  const metrics = root.section('metrics', keys);
  for (const sink of metrics?.sections('sinks', { read: ['type', 'config'] }) ?? []) {
    const type = sink.text('type');
    const known = ['prometheus', 'console'];
    if (!known.includes(type)) report.problem(sink.at('type'), type, known.join(', '), known);
    else if (type === 'prometheus') {
      const why = 'no effect: GET /metrics of the admin endpoint is what Prometheus reads';
      report.notice(sink.at('type'), type, why);
      tellOfPrometheus(report, sink);
    }
  }
}

function tellOfPrometheus(report: Section['report'], sink: Section<'config'>): void {
  const value = sink.raw('config');
  if (value === undefined) return;
  const names = ['port', 'endpoint', 'disable_collect_process', 'disable_collect_go', 'percentiles'];
  Section.open(report, sink.at('config'), value, { read: names });
}
