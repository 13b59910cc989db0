import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const listenState = '0A';

/** Local TCP ports on which a process listens, from its open files and its table of sockets; nothing is connected to. */
export function listeningPorts(pid: number): Set<number> {
  const inodes = socketInodes(pid);
  const ports = new Set<number>();
  for (const table of ['tcp', 'tcp6']) {
    for (const line of readLines(`/proc/${pid}/net/${table}`)) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] !== listenState || !inodes.has(fields[9] ?? '')) continue;
      ports.add(Number.parseInt((fields[1] ?? '').split(':')[1] ?? '', 16));
    }
  }
  return ports;
}

function socketInodes(pid: number): Set<string> {
  const inodes = new Set<string>();
  let names: string[] = [];
  try {
    names = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return inodes;
  }
  for (const name of names) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${name}`))?.[1];
      if (inode !== undefined) inodes.add(inode);
    } catch {
      // Closed since it was listed.
    }
  }
  return inodes;
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(1);
  } catch {
    return [];
  }
}
