import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { eventually } from '../../mesh/support.ts';
import { consumer, findsPeer, freePort, greeting, publishPeer } from '../discovery/peers.ts';
import { type Check, Scope } from '../kit/check.ts';
import { builtGo } from '../kit/go.ts';
import { startZooKeeper } from '../kit/zookeeper.ts';

export const check: Check = {
  what: 'ZooKeeper with a consumer of Dubbo for Go 3.3, by interface and by application, and a provider of 3.1, by interface',
  async run(scope) {
    const program = await builtGo('dubbo');
    const provider = await builtGo('dubbo-provider');
    const { address } = await startZooKeeper(scope);
    for (const publishAs of ['interface', 'application']) {
      await using inner = new Scope();
      const config = { addresses: [address], application: 'node-provider', publishAs };
      const service = await publishPeer(inner, 'dubbo', { name: 'zookeeper', config }, '127.0.0.1');
      await consumerFinds(inner, program, address, publishAs);
      await service.withdraw();
    }
    await using inner = new Scope();
    await startProvider(inner, provider, address);
    const registry = { name: 'zookeeper', config: { addresses: [address] } };
    await findsPeer(await consumer(inner, 'dubbo', registry), 'dubbo');
    return 'both levels for the consumer';
  },
};

/** By interface: by application Dubbo for Go 3.1.1 gives up before its own connection to ZooKeeper stands. */
async function startProvider(scope: Scope, program: string, zooKeeper: string): Promise<void> {
  const child = spawn(program, [zooKeeper, await freePort()], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, DUBBO_IP_TO_REGISTRY: '127.0.0.1' },
  });
  const exited = once(child, 'exit');
  scope.teardown(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  let isReady = false;
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'ready') isReady = true;
  });
  await eventually(() => isReady || child.exitCode !== null, 'the provider starts');
  if (child.exitCode !== null) throw new Error(`the provider of Dubbo for Go ended with ${child.exitCode}`);
}

/** Asks until the answer comes: the list may still be on its way. */
async function consumerFinds(scope: Scope, program: string, address: string, level: string): Promise<void> {
  const child = spawn(program, [address], { stdio: ['pipe', 'pipe', 'ignore'] });
  const exited = once(child, 'exit');
  scope.teardown(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  let last = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (/^(ready|answer|error)/.test(line)) last = line;
  });
  let asked = 0;
  const found = (): boolean => {
    if (last !== '' && asked++ % 100 === 0) child.stdin.write(`${greeting}\n`);
    return last === `answer ${greeting}`;
  };
  await eventually(found, `dubbo-go finds the service (${level})`).catch((thrown: Error) => {
    throw new Error(`${thrown.message}: ${last.slice(0, 500)}`);
  });
}
