/** Which peers are here, and how the missing ones come to be here. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Row } from '../harness/suite.ts';
import { envoyInstall } from './envoy.ts';
import type { Installable } from './find.ts';
import { reverseProxyInstall } from './go.ts';
import { haproxy } from './haproxy.ts';
import { mosnInstall } from './mosn.ts';
import { nginx } from './nginx.ts';
import { nodePeers } from './node.ts';

const run = promisify(execFile);
const here = fileURLToPath(new URL('.', import.meta.url));

const npmPackages: Installable = {
  name: 'npm packages',
  async find() {
    const found = await Promise.all(nodePeers.map((peer) => peer.find()));
    const missing = found.find((availability) => availability.version === null);
    return missing ?? { version: 'package-lock.json', path: here };
  },
  async install() {
    await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: here });
  },
};

/** haproxy and nginx come from the system's packages; only the administrator installs those. */
const installables: readonly Installable[] = [
  haproxy,
  nginx,
  npmPackages,
  reverseProxyInstall,
  mosnInstall,
  envoyInstall,
];

/** Installs what is missing and can be installed without rights, and reports each peer. */
export async function setUpPeers(progress: (line: string) => void): Promise<Row[]> {
  const rows: Row[] = [];
  for (const peer of installables) {
    let found = await peer.find();
    if (found.version === null && peer.install !== undefined) {
      progress(`${peer.name}: ${found.reason}; installing`);
      const problem = await peer.install().then(
        () => null,
        (error: Error) => error.message.trim().split('\n').at(-1) ?? 'it failed',
      );
      found = problem === null ? await peer.find() : { version: null, reason: problem };
    }
    rows.push(
      found.version === null
        ? { name: peer.name, reason: found.reason }
        : { name: peer.name, version: found.version, path: found.path },
    );
  }
  return rows;
}
