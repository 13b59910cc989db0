/** A real ZooKeeper server on loopback, where one is installed: Debian's package, or what the interop tests fetched. */
import { spawn } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts, waitForPort } from '../harness/ports.ts';

const debianJar = '/usr/share/java/zookeeper.jar';
const fetched = join(homedir(), '.cache', 'heddle-interop', 'java', 'registry-*', 'lib', 'zookeeper-3*.jar');
const startDeadlineMs = 20_000;

export interface ZooKeeper {
  readonly address: string;
  stop(): Promise<void>;
}

/** Null where there is none, or no java to run it. */
export async function startZooKeeper(): Promise<ZooKeeper | null> {
  const classPath = existsSync(debianJar) ? debianJar : classPathOf(newest(globSync(fetched)));
  if (classPath === null) return null;
  const [port = 0] = await freePorts(1);
  const folder = mkdtempSync(join(tmpdir(), 'heddle-bench-zookeeper-'));
  const config = [
    'tickTime=500',
    `dataDir=${folder}`,
    `clientPort=${port}`,
    'clientPortAddress=127.0.0.1',
    'admin.enableServer=false',
  ];
  writeFileSync(join(folder, 'zoo.cfg'), `${config.join('\n')}\n`);
  const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
  const args = ['-Xmx256m', '-cp', classPath, main, join(folder, 'zoo.cfg')];
  const child = spawn('java', args, { stdio: 'ignore' });
  let hasFailed = false;
  child.once('error', () => {
    hasFailed = true;
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    while (child.exitCode === null && child.signalCode === null && !hasFailed) await delay(10);
    rmSync(folder, { recursive: true, force: true });
  };
  const deadline = performance.now() + startDeadlineMs;
  const isOver = (): boolean => hasFailed || child.exitCode !== null || performance.now() > deadline;
  if (await waitForPort(port, isOver)) return { address: `127.0.0.1:${port}`, stop };
  await stop();
  return null;
}

function newest(jars: readonly string[]): string | undefined {
  return jars.toSorted((a, b) => (basename(a) < basename(b) ? -1 : 1)).at(-1);
}

function classPathOf(jar: string | undefined): string | null {
  return jar === undefined ? null : join(dirname(jar), '*');
}
