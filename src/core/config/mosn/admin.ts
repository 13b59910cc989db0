import type { MosnContext } from './context.ts';
import type { Section } from './section.ts';

const openHosts = ['', '0.0.0.0', '::', '[::]'];

/** `admin`. MOSN's endpoint has no token, so one that is open to others is kept on this machine. */
export function adminOf(context: MosnContext, root: Section<'admin'>): object | null {
  const admin = root.section('admin', {
    read: ['address'],
    ineffective: {
      access_log_path: 'the endpoint writes no access log',
      profile_path: 'MOSN does not use it',
    },
  });
  const socket = admin
    ?.section('address', { read: ['socket_address'] })
    ?.section('socket_address', { read: ['address', 'port_value'], ineffective: { protocol: 'always TCP' } });
  if (socket === undefined || socket === null) return null;
  const port = socket.count('port_value') ?? 0;
  let host = socket.text('address');
  if (openHosts.includes(host)) {
    const why = 'taken for 127.0.0.1: without a token the endpoint is not open to others';
    context.report.notice(socket.at('address'), host, why);
    host = '127.0.0.1';
  }
  const address = host.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : `${host}:${port}`;
  return context.origins.mark({ address }, socket, { address: socket.at('address') });
}
