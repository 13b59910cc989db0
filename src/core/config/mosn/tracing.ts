import type { MosnContext } from './context.ts';
import type { Section } from './section.ts';

/** Whether listeners take part in traces. The driver is the program's: spans go through the OpenTelemetry API. */
export function isTraced(context: MosnContext, root: Section<'tracing'>): boolean {
  const tracing = root.section('tracing', { read: ['enable', 'driver', 'tracer', 'config'] });
  if (tracing === null || !tracing.flag('enable')) return false;
  const driver = tracing.text('driver');
  if (driver !== '') {
    const why = 'W3C trace context is passed on; spans go to the OpenTelemetry SDK of the program';
    context.report.notice(tracing.at('driver'), driver, why);
  }
  return true;
}
