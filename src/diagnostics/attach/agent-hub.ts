import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { HeddleError } from '../../core/base/errors.ts';
import type { MonitorEvent } from '../contract.ts';
import type { AgentHello } from './control.ts';
import { RemoteControl } from './remote-control.ts';

/** Agents that may be connected at once. */
const maxAgents = 1000;

/** One process whose agent has dialled in. */
export interface HubAgent {
  readonly hello: AgentHello;
  readonly control: RemoteControl;
}

export interface HubListener {
  onJoin?(agent: HubAgent): void;
  /** The process ended or its monitor was stopped. */
  onLeave?(agent: HubAgent): void;
  onEvent?(agent: HubAgent, event: MonitorEvent): void;
}

/** The socket (unix, 0600) to which the agents of many processes dial; a process is known by pid and start time. */
export class AgentHub {
  readonly path: string;
  readonly #server: Server;
  readonly #agents = new Map<string, HubAgent>();
  readonly #listener: HubListener;

  private constructor(path: string, listener: HubListener) {
    this.path = path;
    this.#listener = listener;
    this.#server = createServer((socket) => {
      RemoteControl.over(socket).then(
        (control) => void this.#join(control),
        () => {},
      );
    });
    this.#server.maxConnections = maxAgents;
  }

  /** @throws HeddleError ERR_ATTACH_FAILED when another daemon serves that path or it cannot be made. */
  static async open(path: string, listener: HubListener): Promise<AgentHub> {
    const hub = new AgentHub(path, listener);
    try {
      await hub.#listen();
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EADDRINUSE')
        throw HeddleError.from(thrown, 'ERR_ATTACH_FAILED');
      if (await answers(path)) {
        throw new HeddleError('ERR_ATTACH_FAILED', `another heddle already serves ${path}`);
      }
      rmSync(path, { force: true });
      await hub.#listen();
    }
    chmodSync(path, 0o600);
    return hub;
  }

  agents(): HubAgent[] {
    return [...this.#agents.values()];
  }

  find(pid: number, startTicks: number): HubAgent | undefined {
    return this.#agents.get(`${pid}-${startTicks}`);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const { control } of this.#agents.values()) control.close();
    await closed;
    rmSync(this.path, { force: true });
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.path, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  async #join(control: RemoteControl): Promise<void> {
    const agent: HubAgent = { hello: control.hello, control };
    const key = `${agent.hello.pid}-${agent.hello.startTicks}`;
    this.#agents.set(key, agent);
    control.onClose(() => {
      if (this.#agents.get(key) !== agent) return;
      this.#agents.delete(key);
      this.#listener.onLeave?.(agent);
    });
    await control.onEvent((event) => this.#listener.onEvent?.(agent, event)).catch(() => {});
    this.#listener.onJoin?.(agent);
  }
}

/** A hub never speaks first, so an open connection is all the sign of life there is. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
