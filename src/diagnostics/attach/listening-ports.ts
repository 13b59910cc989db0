import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const listenState = '0A';
/** As the tables write them: an inspector on 127.0.0.1 collides with a listener on these. */
const loopbackAddresses = new Set(['0100007F', '00000000', '00000000000000000000000000000000']);

/** Who listens on TCP in the network of one process; nothing is connected to. */
export interface Listeners {
  /** Ports of the process itself. */
  readonly own: ReadonlySet<number>;
  /** Ports of 127.0.0.1 that other processes hold, with the inode of the socket. */
  readonly others: ReadonlyMap<number, string>;
}

export function readListeners(pid: number): Listeners {
  const inodes = socketInodes(pid);
  const own = new Set<number>();
  const others = new Map<number, string>();
  for (const table of ['tcp', 'tcp6']) {
    for (const line of readLines(`/proc/${pid}/net/${table}`)) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] !== listenState) continue;
      const [address = '', hexPort = ''] = (fields[1] ?? '').split(':');
      const port = Number.parseInt(hexPort, 16);
      const inode = fields[9] ?? '';
      if (inodes.has(inode)) own.add(port);
      else if (loopbackAddresses.has(address)) others.set(port, inode);
    }
  }
  return { own, others };
}

/** Local TCP ports on which a process listens. */
export const listeningPorts = (pid: number): ReadonlySet<number> => readListeners(pid).own;

/** The process that holds a socket, among those whose files may be read. */
export function holderOf(inode: string): number | undefined {
  const pids = readNames('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).find((pid) => socketInodes(pid).has(inode));
}

function socketInodes(pid: number): Set<string> {
  const inodes = new Set<string>();
  for (const name of readNames(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${name}`))?.[1];
      if (inode !== undefined) inodes.add(inode);
    } catch {
      // Closed since it was listed.
    }
  }
  return inodes;
}

function readNames(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(1);
  } catch {
    return [];
  }
}
