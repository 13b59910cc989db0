import { SeededRandom } from '../../../../src/core/base/random.ts';
import type { Dialer, Wire } from '../../../../src/core/contract/wire.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';
import { MemoryLink, type MemoryLinkOptions } from '../../../../src/testing/memory-link.ts';
import { ZooKeeperClient } from '../../../../src/transport/registries/zookeeper/client/client.ts';
import {
  Session,
  type SessionListener,
  type SessionOptions,
} from '../../../../src/transport/registries/zookeeper/client/session.ts';
import { FakeZooKeeper } from './fake-server.ts';

/** Servers by address, joined to their clients in memory; nothing moves but by `settle`. */
export class FakeNet {
  readonly clock = new FakeClock();
  readonly servers = new Map<string, FakeZooKeeper>();
  readonly dialled: string[] = [];
  links: MemoryLink[] = [];
  linkOptions: MemoryLinkOptions = {};

  readonly dial: Dialer = (address): Wire => {
    this.dialled.push(address);
    const link = new MemoryLink({ ...this.linkOptions, isConnecting: true });
    this.links.push(link);
    const server = this.servers.get(address);
    if (server === undefined) link.refuse();
    else {
      server.accept(link.accepted);
      link.connect();
    }
    return link.dialled;
  };

  /** Until nothing moves: bytes, promises, and what they lead to. */
  async settle(): Promise<void> {
    let isBusy = true;
    while (isBusy) {
      isBusy = false;
      for (let i = 0; i < 20; i++) await Promise.resolve();
      for (const link of [...this.links]) while (link.turn()) isBusy = true;
    }
  }

  /** Time in small steps, so that pings are answered in between. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 100) {
      this.clock.advance(Math.min(100, left));
      await this.settle();
      for (const server of new Set(this.servers.values())) server.expireSessions();
      await this.settle();
    }
  }
}

const options: SessionOptions = {
  servers: ['zk1:2181'],
  sessionTimeoutMs: 30_000,
  connectTimeoutMs: 5000,
  maxFrameBytes: 1024 * 1024,
  credentials: null,
  backoffBaseMs: 250,
  backoffMaxMs: 10_000,
};

export interface Opened {
  readonly net: FakeNet;
  readonly server: FakeZooKeeper;
  readonly session: Session;
  readonly client: ZooKeeperClient;
  /** "new" | "again" | the reason of a disconnect. */
  readonly story: string[];
}

export function openSession(
  net: FakeNet,
  given: Partial<SessionOptions> = {},
  chroot = '',
): Omit<Opened, 'net' | 'server'> {
  const { clock, dial } = net;
  const session = new Session({ ...options, ...given }, { clock, dial, random: new SeededRandom(7) });
  const story: string[] = [];
  const listener: SessionListener = {
    onConnected: (isNew) => void story.push(isNew ? 'new' : 'again'),
    onDisconnected: (reason) => void story.push(reason),
  };
  session.listen(listener);
  session.start();
  return { session, client: new ZooKeeperClient(session, chroot), story };
}

/** One server and a client that is connected to it. */
export async function opened(
  serverOptions: ConstructorParameters<typeof FakeZooKeeper>[1] = {},
  given: Partial<SessionOptions> = {},
  chroot = '',
  linkOptions: MemoryLinkOptions = {},
): Promise<Opened> {
  const net = new FakeNet();
  net.linkOptions = linkOptions;
  const server = new FakeZooKeeper(net.clock, serverOptions);
  net.servers.set('zk1:2181', server);
  const made = openSession(net, given, chroot);
  await net.settle();
  return { net, server, ...made };
}
