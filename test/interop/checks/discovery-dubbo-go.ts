import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { eventually } from '../../mesh/support.ts';
import { greeting, publishPeer } from '../discovery/peers.ts';
import { type Check, Scope } from '../kit/check.ts';
import { builtGo } from '../kit/go.ts';
import { startZooKeeper } from '../kit/zookeeper.ts';

export const check: Check = {
  what: 'a consumer of Dubbo for Go 3.3 finds our service on ZooKeeper, by interface and by application',
  async run(scope) {
    const program = await builtGo('dubbo');
    const { address } = await startZooKeeper(scope);
    for (const publishAs of ['interface', 'application']) {
      await using inner = new Scope();
      const config = { addresses: [address], application: 'node-provider', publishAs };
      const service = await publishPeer(inner, 'dubbo', { name: 'zookeeper', config }, '127.0.0.1');
      await consumerFinds(inner, program, address, publishAs);
      await service.withdraw();
    }
    return 'both levels';
  },
};

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
