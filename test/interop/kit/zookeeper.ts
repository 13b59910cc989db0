import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deadAddress, eventually } from '../../mesh/support.ts';
import type { Scope } from './check.ts';
import { builtProject } from './java.ts';

/** Whom the server knows by SASL. */
export const saslUser = { user: 'mesh', password: 'loom and heddle' };

/** apt-get install zookeeper */
const debianJar = '/usr/share/java/zookeeper.jar';

/** A real ZooKeeper server on loopback that can be killed and started again with its data. */
export class ZooKeeperServer {
  readonly address: string;
  readonly #classPath: string;
  readonly #folder: string;
  #child: ChildProcess | null = null;

  /** @param folder with zoo.cfg and data/ */
  constructor(address: string, classPath: string, folder: string) {
    this.address = address;
    this.#classPath = classPath;
    this.#folder = folder;
  }

  async start(): Promise<void> {
    const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
    const login = `-Djava.security.auth.login.config=${join(this.#folder, 'jaas.conf')}`;
    const args = ['-Xmx128m', login, '-cp', this.#classPath, main, join(this.#folder, 'zoo.cfg')];
    const child = spawn('java', args, { stdio: 'ignore' });
    this.#child = child;
    await eventually(() => {
      if (child.exitCode !== null) throw new Error(`ZooKeeper ended with ${child.exitCode}`);
      return answers(this.address);
    }, 'ZooKeeper listens');
  }

  /** As a crash. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Loses all data, sessions included. The server must be down. */
  async forget(): Promise<void> {
    await rm(join(this.#folder, 'data'), { recursive: true, force: true });
    await mkdir(join(this.#folder, 'data'));
  }
}

/** Debian's server where it is installed, else the one of Maven Central. @throws NotInstalled */
export async function startZooKeeper(scope: Scope): Promise<ZooKeeperServer> {
  const place = await builtProject('registry');
  const classPath = existsSync(debianJar) ? debianJar : join(place, 'lib', '*');
  const folder = await mkdtemp(join(tmpdir(), 'heddle-zookeeper-'));
  scope.teardown(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'data'));
  const address = await deadAddress();
  const config = [
    'tickTime=500',
    `dataDir=${folder}/data`,
    `clientPort=${address.split(':')[1]}`,
    'clientPortAddress=127.0.0.1',
    'admin.enableServer=false',
    'extendedTypesEnabled=true',
    'minSessionTimeout=1000',
    'maxSessionTimeout=60000',
    'authProvider.sasl=org.apache.zookeeper.server.auth.SASLAuthenticationProvider',
  ];
  const module = 'org.apache.zookeeper.server.auth.DigestLoginModule';
  const jaas = `Server { ${module} required user_${saslUser.user}="${saslUser.password}"; };\n`;
  await writeFile(join(folder, 'jaas.conf'), jaas);
  await writeFile(join(folder, 'zoo.cfg'), `${config.join('\n')}\n`);
  const server = new ZooKeeperServer(address, classPath, folder);
  scope.teardown(() => server.kill());
  await server.start();
  return server;
}

function answers(address: string): Promise<boolean> {
  const socket = connect(Number(address.split(':')[1]), '127.0.0.1');
  return new Promise((resolve) => {
    const finish = (isUp: boolean): void => {
      socket.destroy();
      resolve(isUp);
    };
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
  });
}
