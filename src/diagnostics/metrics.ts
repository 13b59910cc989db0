import type { MonitorStatus } from './contract.ts';
import { signalCatalogue } from './signals/catalogue.ts';

const help = new Map(signalCatalogue.map(({ name, description }) => [name, description]));
const counterHelp: Readonly<Record<string, string>> = {
  capturesTaken: 'captures that were written',
  capturesHeld: 'captures that a bound or another capture kept from being taken',
  capturesFailed: 'captures that could not be taken or written',
  capturesDegraded: 'captures of the flight recorder alone, since profile time was used up',
  tickOverruns: 'samples of the signals that came late',
  problems: 'troubles of the monitor itself',
  sinkDelivered: 'captures that a sink took',
  sinkDropped: 'captures that waited too long for a slow sink',
  sinkFailed: 'captures that a sink refused or could not take',
  seriesDropped: 'signals left out of this page',
};
/** Resource types and user signals come from strangers: more series than this are left out and counted. */
const maxSeries = 200;

/** The monitor's state as Prometheus text: the latest signals, rules that fired, counters. */
export function monitorMetrics(status: MonitorStatus): string {
  const lines: string[] = [];
  const labels = `service="${escapeLabel(status.service)}",pid="${status.pid}"`;
  const values = Object.entries(status.latest?.values ?? {});
  let dropped = 0;
  const resources: string[] = [];
  const user: string[] = [];
  for (const [index, [name, value]] of values.entries()) {
    if (index >= maxSeries) {
      dropped++;
    } else if (name.startsWith('resource:')) {
      resources.push(`heddle_monitor_resources{${labels},type="${escapeLabel(name.slice(9))}"} ${value}`);
    } else if (name.startsWith('user:')) {
      user.push(`heddle_monitor_user_signal{${labels},name="${escapeLabel(name.slice(5))}"} ${value}`);
    } else {
      add(lines, metricName(name), 'gauge', help.get(name) ?? name, [`{${labels}} ${value}`]);
    }
  }
  addRaw(lines, 'heddle_monitor_resources', 'gauge', 'active resources by type', resources);
  addRaw(lines, 'heddle_monitor_user_signal', 'gauge', 'signals of the application itself', user);
  const fired = status.rules.map((rule) => `{${labels},rule="${escapeLabel(rule.name)}"} ${rule.firedCount}`);
  add(lines, 'heddle_monitor_rule_fired_total', 'counter', 'how often a rule fired', fired);
  for (const [name, value] of Object.entries({ ...status.counters, seriesDropped: dropped })) {
    add(lines, `${metricName(name)}_total`, 'counter', counterHelp[name] ?? name, [`{${labels}} ${value}`]);
  }
  return `${lines.join('\n')}\n`;
}

/** `loopDelayP99Ms` becomes `heddle_monitor_loop_delay_p99_ms`. */
function metricName(name: string): string {
  return `heddle_monitor_${name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()}`;
}

function add(lines: string[], name: string, type: string, text: string, samples: readonly string[]): void {
  if (samples.length > 0)
    lines.push(
      `# HELP ${name} ${text}`,
      `# TYPE ${name} ${type}`,
      ...samples.map((sample) => `${name}${sample}`),
    );
}

function addRaw(lines: string[], name: string, type: string, text: string, samples: readonly string[]): void {
  if (samples.length > 0) lines.push(`# HELP ${name} ${text}`, `# TYPE ${name} ${type}`, ...samples);
}

const escapeLabel = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
