import type { MosnContext } from './context.ts';
import type { Section } from './section.ts';

/** Access logs of a listener. */
export function accessLogsOf(context: MosnContext, listener: Section<'access_logs'>): object[] {
  return listener.sections('access_logs', { read: ['log_path', 'log_format'] }).flatMap((log) => {
    const path = log.text('log_path');
    if (path.startsWith('syslog')) {
      context.report.unsupported(log.at('log_path'), path, 'logs go to files, stdout and stderr');
      return [];
    }
    const isWord = path === '' || path === 'stdout' || path === 'stderr';
    const absolute = context.options.absolutePath ?? ((given: string) => given);
    const format = formatOf(context, log);
    const made = { path: isWord ? path || 'stdout' : absolute(path), format };
    return [context.origins.mark(made, log, { path: log.at('log_path'), format: log.at('log_format') })];
  });
}

/** MOSN writes "-" for a variable that it does not know; here that is a problem unless MOSN's behaviour is asked for. */
function formatOf(context: MosnContext, log: Section<'log_format'>): string {
  const format = log.text('log_format');
  if (format === '') return 'mosn';
  const { checkValue } = context.options;
  if (checkValue === undefined || !context.report.isLenient) return format;
  return format.replace(/(\\?)%([A-Za-z][\w-]*)%/g, (all, backslash: string) => {
    if (backslash !== '' || checkValue(all).length === 0) return all;
    context.report.notice(log.at('log_format'), all, 'written as "-": no such variable');
    return '-';
  });
}
