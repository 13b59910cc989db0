import { missing } from '../problems.ts';
import type { MosnContext } from './context.ts';
import { listenerKeys, listenerOf } from './listeners.ts';
import { type RouterSection, routerKeys } from './routers.ts';
import type { Keys, Section } from './section.ts';

const serverKeys: Keys<'default_log_level' | 'listeners' | 'routers'> = {
  read: ['default_log_level', 'listeners', 'routers'],
  ineffective: {
    mosn_server_name: 'MOSN only shows it',
    default_log_path: 'the log goes to stderr',
    global_log_roller: 'logs are rotated from outside; SIGHUP opens them anew',
    use_netpoll_mode: 'there is one way to wait for sockets',
    graceful_timeout: '"heddle run --drain-ms" says how long a drain may take',
    processor: 'one process uses one core',
  },
};

const levels: Readonly<Record<string, string>> = {
  TRACE: 'debug',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  WARNING: 'warn',
  ERROR: 'error',
  FATAL: 'error',
  OFF: 'off',
};

/** `servers[0]`: MOSN has one. */
export function serverParts(context: MosnContext, root: Section<'servers'>): Record<string, unknown> {
  const [server, ...others] = root.sections('servers', serverKeys);
  for (const other of others) context.report.problem(other, 'another server', 'one server, as MOSN wants it');
  if (server === undefined) {
    context.report.problem(root.at('servers'), missing, 'a list with one server');
    return {};
  }
  const routers = routersOf(context, server);
  const listeners = server
    .sections('listeners', listenerKeys)
    .flatMap((listener) => listenerOf(context, listener, routers) ?? []);
  return { listeners, ...logOf(context, server) };
}

function routersOf(context: MosnContext, server: Section<'routers'>): Map<string, RouterSection> {
  const routers = new Map<string, RouterSection>();
  for (const router of server.sections('routers', routerKeys)) {
    const name = router.required('router_config_name');
    if (routers.has(name)) {
      context.report.problem(router.at('router_config_name'), name, 'each router configuration once');
    }
    routers.set(name, router);
  }
  return routers;
}

function logOf(context: MosnContext, server: Section<'default_log_level'>): Record<string, unknown> {
  const level = server.text('default_log_level');
  if (level === '') return {};
  const native = levels[level.toUpperCase()];
  if (native !== undefined) return { log: { level: native } };
  const known = Object.keys(levels);
  context.report.problem(server.at('default_log_level'), level, known.join(', '), known);
  return {};
}
