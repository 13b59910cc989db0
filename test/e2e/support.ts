import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import {
  createJsonLogger,
  type MeshConfig,
  type Standalone,
  type StandaloneOptions,
  startStandalone,
} from '../../src/index.ts';
import { SystemClock } from '../../src/transport/index.ts';
import { type Teardown, within } from '../mesh/support.ts';

const entry: string = fileURLToPath(new URL('../../bin/heddle.js', import.meta.url));

/** A folder of its own, gone with the test. */
export async function folder(t: Teardown): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'heddle-e2e-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** One listener "in" whose routes all go to the cluster "up". */
export function gateway(
  endpoint: string | readonly string[],
  more: object = {},
  route: object = {},
): MeshConfig {
  return {
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        virtualHosts: [
          { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, cluster: 'up', ...route }] },
        ],
        ...more,
      },
    ],
    clusters: [{ name: 'up', endpoints: typeof endpoint === 'string' ? [endpoint] : endpoint }],
  };
}

/** Readers see the old text or the new one. */
export async function writeConfig(path: string, config: object | string): Promise<void> {
  await writeFile(`${path}.new`, typeof config === 'string' ? config : JSON.stringify(config));
  await rename(`${path}.new`, path);
}

export interface Proxy {
  readonly standalone: Standalone;
  /** Of the listener "in". */
  readonly address: string;
  readonly configPath: string;
  readonly lines: string[];
}

/** The standalone proxy in this process, closed with the test. */
export async function proxy(
  t: Teardown,
  config: MeshConfig,
  watches = false,
  startMonitor?: StandaloneOptions['startMonitor'],
): Promise<Proxy> {
  const configPath = join(await folder(t), 'heddle.json');
  await writeConfig(configPath, config);
  const lines: string[] = [];
  const logger = createJsonLogger((line) => void lines.push(line), new SystemClock());
  const standalone = await startStandalone({
    configPath,
    logger,
    watches,
    ...(startMonitor && { startMonitor }),
  });
  t.teardown(() => standalone.close());
  return { standalone, address: standalone.mesh.listeners.addresses['in'] ?? '', configPath, lines };
}

export interface ProxyProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly address: string;
  readonly listeners: Readonly<Record<string, string>>;
  readonly admin: string;
  readonly configPath: string;
  /** What it has written to stderr so far. */
  readonly log: () => string;
  /** Code and signal of its end. */
  readonly exited: Promise<[number | null, string | null]>;
}

/** `heddle run` as a process of its own, killed with the test. @param limits shell text that runs before, e.g. "ulimit -n 64" */
export async function proxyProcess(
  t: Teardown,
  config: MeshConfig,
  args: readonly string[] = [],
  limits = ':',
): Promise<ProxyProcess> {
  const configPath = join(await folder(t), 'heddle.json');
  await writeConfig(configPath, config);
  const command = ['run', '--config', configPath, '--json', ...args].map((each) => `'${each}'`).join(' ');
  const child = spawn('/bin/sh', ['-c', `${limits}; exec '${process.execPath}' '${entry}' ${command}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr?.on('data', (chunk) => {
    log += chunk;
  });
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await exited;
  });
  const line = await within(
    firstLine(child, exited, () => log),
    'the proxy starts',
    60_000,
  );
  const told = JSON.parse(line) as { listeners: Record<string, string>; admin: string; pid: number };
  const address = told.listeners['in'] ?? '';
  return { child, address, configPath, exited, log: () => log, ...told };
}

async function firstLine(child: ChildProcess, exited: Promise<unknown>, log: () => string): Promise<string> {
  let text = '';
  const line = new Promise<string>((resolve) => {
    child.stdout?.on('data', (chunk) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end >= 0) resolve(text.slice(0, end));
    });
  });
  const ended = exited.then(() => {
    throw new Error(`the proxy ended before it was ready: ${log()}`);
  });
  return Promise.race([line, ended]);
}

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `heddle ARGS` to its end. */
export async function heddle(args: readonly string[], nodeArgs: readonly string[] = []): Promise<Outcome> {
  const child = spawn(process.execPath, [...nodeArgs, entry, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code] = (await within(once(child, 'close'), `heddle ${args.join(' ')}`, 60_000)) as [number | null];
  return { code, stdout, stderr };
}

/** A raw connection whose bytes are collected as text. */
export class Raw {
  readonly socket: Socket;
  text = '';
  isClosed = false;
  #wake: (() => void) | null = null;

  constructor(address: string) {
    this.socket = address.startsWith('unix:')
      ? connect({ path: address.slice(5), allowHalfOpen: true })
      : connect({ host: '127.0.0.1', port: Number(address.split(':').at(-1)), allowHalfOpen: true });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (chunk) => {
      this.text += chunk;
      this.#wake?.();
    });
    this.socket.on('error', () => {});
    this.socket.on('end', () => {
      this.isClosed = true;
      this.#wake?.();
    });
    this.socket.on('close', () => {
      this.isClosed = true;
      this.#wake?.();
    });
  }

  send(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  /** All that has come once it matches. */
  async until(pattern: RegExp): Promise<string> {
    const arrived = async (): Promise<string> => {
      while (!pattern.test(this.text)) {
        if (this.isClosed) throw new Error(`closed before ${pattern}: ${JSON.stringify(this.text)}`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      return this.text;
    };
    return within(arrived(), `${pattern}, got ${JSON.stringify(this.text)}`).catch((error: Error) => {
      throw new Error(`${error.message}; got ${JSON.stringify(this.text)}`);
    });
  }

  /** All that has come when the other side has closed. */
  async whole(): Promise<string> {
    const closed = async (): Promise<void> => {
      while (!this.isClosed) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    };
    await within(closed(), `the end of the connection, got ${JSON.stringify(this.text.slice(0, 200))}`);
    return this.text;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** Resident memory of a process in bytes. Linux only; NaN elsewhere. */
export async function rssBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}
