import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NotInstalled, type Scope } from './check.ts';

/** 15 s on a quiet machine. */
const startLimitMs = 180_000;

/** A Nacos server on loopback, gRPC on the HTTP port and 1000, that can be killed and started again. */
export interface NacosServer {
  readonly address: string;
  start(): Promise<void>;
  /** As a crash. */
  kill(): Promise<void>;
}

/** The server of NACOS_HOME: an unpacked nacos-server-2.x or 3.x. @throws NotInstalled */
export async function startNacos(scope: Scope): Promise<NacosServer> {
  const home = process.env['NACOS_HOME'];
  if (home === undefined) {
    const hint = 'unpack nacos-server of github.com/alibaba/nacos/releases and set NACOS_HOME to its folder';
    throw new NotInstalled('Nacos', hint);
  }
  const server = await realServer(scope, home, await portPair());
  scope.teardown(() => server.kill());
  await server.start();
  return server;
}

class RealServer implements NacosServer {
  readonly address: string;
  readonly #arguments: readonly string[];
  readonly #folder: string;
  #child: ChildProcess | null = null;

  constructor(port: number, args: readonly string[], folder: string) {
    this.address = `127.0.0.1:${port}`;
    this.#arguments = args;
    this.#folder = folder;
  }

  async start(): Promise<void> {
    const child = spawn('java', this.#arguments, { stdio: 'ignore', cwd: this.#folder });
    this.#child = child;
    const endMs = performance.now() + startLimitMs;
    while (!(await answers(Number(this.address.split(':')[1]) + 1000))) {
      if (child.exitCode !== null) throw new Error(`Nacos ended with ${child.exitCode}`);
      if (performance.now() > endMs) throw new Error(`Nacos does not listen within ${startLimitMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}

async function realServer(scope: Scope, home: string, port: number): Promise<NacosServer> {
  const jar = join(home, 'target', 'nacos-server.jar');
  if (!existsSync(jar)) throw new Error(`NACOS_HOME has no ${jar}`);
  const folder = await mkdtemp(join(tmpdir(), 'heddle-nacos-'));
  scope.teardown(() => rm(folder, { recursive: true, force: true }));
  const settings = {
    'nacos.standalone': 'true',
    'nacos.home': folder,
    'nacos.server.ip': '127.0.0.1',
    'server.address': '127.0.0.1',
    'server.port': String(port),
    // Nacos 3.
    'nacos.server.main.port': String(port),
    'nacos.console.port': String(port + 2000),
    'nacos.console.ui.enabled': 'false',
    'nacos.core.auth.plugin.nacos.token.secret.key': Buffer.from('0123456789'.repeat(4)).toString('base64'),
    'nacos.core.auth.server.identity.key': 'interop',
    'nacos.core.auth.server.identity.value': 'interop',
  };
  const args = [
    '-Xmx512m',
    ...Object.entries(settings).map(([key, value]) => `-D${key}=${value}`),
    '-jar',
    jar,
    `--spring.config.additional-location=file:${join(home, 'conf')}/`,
    `--logging.config=${join(home, 'conf', 'nacos-logback.xml')}`,
  ];
  return new RealServer(port, args, folder);
}

/** A port whose neighbours, 1000, 1001 and 2000 further, are free as well. */
async function portPair(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const wanted = [port, port + 1000, port + 1001, port + 2000];
    const free = await Promise.all(wanted.map(isFree));
    if (free.every(Boolean)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    const finish = (isUp: boolean): void => {
      socket.destroy();
      resolve(isUp);
    };
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
  });
}
