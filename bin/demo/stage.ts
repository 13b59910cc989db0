import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const startLimitMs = 45_000;

/** Interface of the sample service. */
export const userService = 'com.example.Users';
export const rpcProtocols = ['bolt', 'dubbo'] as const;
export type RpcProtocol = (typeof rpcProtocols)[number];

export interface Instance {
  readonly name: string;
  /** Of HTTP. */
  readonly address: string;
  /** By protocol. */
  readonly rpc: Readonly<Partial<Record<RpcProtocol, string>>>;
  readonly child: ChildProcess;
}

/** The scenery of the demo: service processes, the list file that names them, and a standalone proxy. All on loopback. */
export class Stage implements AsyncDisposable {
  readonly folder: string;
  readonly listFile: string;
  readonly instances: Instance[] = [];
  /** Why instances speak neither Bolt nor Dubbo; "": they do. */
  missing = '';
  proxyAddress = '';
  adminAddress = '';
  readonly #children = new Set<ChildProcess>();

  constructor(folder: string) {
    this.folder = folder;
    this.listFile = join(folder, 'services.yaml');
  }

  static async create(): Promise<Stage> {
    const stage = new Stage(await mkdtemp(join(tmpdir(), 'heddle-demo-')));
    try {
      for (const name of ['users-1', 'users-2', 'users-3']) await stage.addInstance(name);
      await stage.#startProxy();
    } catch (thrown) {
      await stage[Symbol.asyncDispose]();
      throw thrown;
    }
    return stage;
  }

  /** Starts one more instance and lists it once it listens. */
  async addInstance(name: string): Promise<void> {
    const child = fork(fileURLToPath(sibling('./service')), [name], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#track(child);
    const told = (await answerOf(child, `service ${name}`, (resolve) => {
      child.once('message', resolve);
    })) as { port: number; rpc: Instance['rpc']; missing: string };
    this.missing = told.missing;
    this.instances.push({ name, address: `127.0.0.1:${told.port}`, rpc: told.rpc, child });
    await this.#writeList();
  }

  /** Takes an instance off the list first, then ends its process: nobody loses a call. */
  async removeInstance(name: string, graceMs: number): Promise<void> {
    const index = this.instances.findIndex((each) => each.name === name);
    const [instance] = this.instances.splice(index, index < 0 ? 0 : 1);
    if (instance === undefined) return;
    await this.#writeList();
    await new Promise((resolve) => setTimeout(resolve, graceMs));
    instance.child.kill('SIGTERM');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill('SIGTERM');
    await Promise.all([...this.#children].map((child) => ended(child)));
    await rm(this.folder, { recursive: true, force: true });
  }

  async #startProxy(): Promise<void> {
    const configPath = join(this.folder, 'heddle.yaml');
    await writeFile(configPath, proxyConfig(this.listFile, this.missing === ''));
    const entry = fileURLToPath(commandUrl());
    const child = spawn(process.execPath, [entry, 'run', '--config', configPath, '--json'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#track(child);
    const line = await answerOf(child, 'the proxy', firstLine(child));
    const told = JSON.parse(String(line)) as { listeners: Record<string, string>; admin: string };
    this.proxyAddress = told.listeners['gateway'] ?? '';
    this.adminAddress = told.admin;
  }

  /** By rename, as a deployment tool would: readers see the old list or the new one. */
  async #writeList(): Promise<void> {
    const listed: Record<string, string[]> = { users: this.instances.map((each) => each.address) };
    for (const protocol of rpcProtocols) {
      listed[`${protocol}-users`] = this.instances.flatMap((each) => each.rpc[protocol] ?? []);
    }
    const text = JSON.stringify(listed);
    const temporary = `${this.listFile}.new`;
    await writeFile(temporary, text);
    await rename(temporary, this.listFile);
  }

  #track(child: ChildProcess): void {
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
  }
}

const isSource = import.meta.url.endsWith('.ts');

/** bin/heddle.js is not built: from dist/bin/demo it lies three floors up. */
const commandUrl = (): URL => new URL(isSource ? '../heddle.js' : '../../../bin/heddle.js', import.meta.url);

const sibling = (name: string): URL => new URL(`${name}${isSource ? '.ts' : '.js'}`, import.meta.url);

function proxyConfig(listFile: string, speaksRpc: boolean): string {
  const json = { match: { segmentPrefix: `/${userService}` }, cluster: 'dubbo-users', retry: rpcRetry };
  const transcode = { name: 'transcode', config: { to: 'dubbo', argTypes: { find: ['java.lang.String'] } } };
  const plain = {
    match: { prefix: '/' },
    cluster: 'users',
    retry: httpRetry,
    filterConfigs: { transcode: false },
  };
  return JSON.stringify({
    listeners: [
      {
        name: 'gateway',
        address: '127.0.0.1:0',
        filters: speaksRpc ? ['request-id', transcode] : ['request-id'],
        virtualHosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: speaksRpc ? [json, plain] : [{ ...plain, filterConfigs: {} }],
          },
        ],
      },
    ],
    clusters: clusters(listFile, speaksRpc),
    admin: { address: '127.0.0.1:0' },
  });
}

const httpRetry = { numRetries: 2 };
/** To find a user twice does no harm, which no proxy can know of a method: it has to be said. */
const rpcRetry = { numRetries: 2, nonIdempotent: true };

/** Routes of in-process calls: each cluster by its name. */
export function virtualHosts(speaksRpc: boolean) {
  return clusterNames(speaksRpc).map((name) => ({
    name,
    domains: [name],
    routes: [{ cluster: name, retry: name === 'users' ? httpRetry : rpcRetry }],
  }));
}

const clusterNames = (speaksRpc: boolean): string[] => [
  'users',
  ...(speaksRpc ? rpcProtocols.map((protocol) => `${protocol}-users`) : []),
];

/** The same clusters for the proxy and for the in-process mesh. */
export function clusters(listFile: string, speaksRpc: boolean) {
  return clusterNames(speaksRpc).map((name) => ({
    name,
    codec: rpcProtocols.find((protocol) => name === `${protocol}-users`) ?? 'http1',
    discovery: { name: 'file', config: { path: listFile } },
    loadBalancer: 'leastRequest',
    // All that is under way to an instance which has just gone may be repeated at once.
    circuitBreakers: { maxRetries: 64 },
  }));
}

const firstLine =
  (child: ChildProcess) =>
  (resolve: (line: string) => void): void => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const end = text.indexOf('\n');
      if (end >= 0) resolve(text.slice(0, end));
    });
  };

/** What a child says when it is ready. Rejects when it ends first or takes too long. */
function answerOf<T>(
  child: ChildProcess,
  what: string,
  start: (resolve: (value: T) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${what} did not start in ${startLimitMs} ms`)),
      startLimitMs,
    );
    const onExit = (code: number | null): void => {
      clearTimeout(timer);
      reject(new Error(`${what} ended with code ${code} before it was ready`));
    };
    child.once('exit', onExit);
    start((value) => {
      clearTimeout(timer);
      child.off('exit', onExit);
      resolve(value);
    });
  });
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
