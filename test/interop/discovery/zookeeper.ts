import assert from 'node:assert/strict';
import { eventually } from '../../mesh/support.ts';
import { Scope } from '../kit/check.ts';
import { type JavaProject, startJvm } from '../kit/java.ts';
import { saslUser, startZooKeeper, type ZooKeeperServer } from '../kit/zookeeper.ts';
import { traffic } from './outage.ts';
import { exampleAnswers, type Part, runParts } from './parts.ts';
import {
  consumer,
  echo,
  findsPeer,
  freePort,
  hostsOf,
  javaFindsPeer,
  loopback,
  type Protocol,
  publishPeer,
  type RegistryChoice,
} from './peers.ts';

type Step = 'FORCE_INTERFACE' | 'FORCE_APPLICATION';

/**
 *   Dubbo 3.3 (interface; application: metadata local v1, local v2, remote), Dubbo 2.7, SOFARPC
 *      provider --- ZooKeeper --- our mesh        our service --- ZooKeeper --- consumer
 */
export async function zookeeperPeers(scope: Scope): Promise<string> {
  const server = await startZooKeeper(scope);
  const env = { ZOOKEEPER: server.address };
  const parts: Part[] = [
    ['Dubbo 3.3 provider, both levels', () => dubboProvider(server, ['all', 'local'], 'dubbo', bothSteps)],
    [
      'Dubbo 3.3 provider, metadata centre',
      () => dubboProvider(server, ['instance', 'remote'], 'dubbo', application),
    ],
    ['Dubbo 3.3 provider, Triple', () => dubboProvider(server, ['instance', 'local'], 'tri', application)],
    ['Dubbo 2.7 provider', () => dubboProvider(server, null, 'dubbo', ['FORCE_INTERFACE'])],
    ['Dubbo 3.3 consumer, interface', () => dubboConsumer(server, 'registry', 'FORCE_INTERFACE')],
    ['Dubbo 3.3 consumer, application', () => dubboConsumer(server, 'registry', 'FORCE_APPLICATION')],
    ['Dubbo 2.7 consumer', () => dubboConsumer(server, 'registry-2.7', 'FORCE_INTERFACE')],
    ['SOFARPC', () => sofa(server)],
    ['SASL and ACLs', () => credentials(server)],
    ['the example', () => exampleAnswers('11-zookeeper.ts', env, /^answer: hello, loom$/m)],
    ['ZooKeeper dies and comes back', () => outage(server)],
  ];
  return await runParts(parts);
}

const bothSteps: readonly Step[] = ['FORCE_INTERFACE', 'FORCE_APPLICATION'];
const application: readonly Step[] = ['FORCE_APPLICATION'];

function dubbo(server: ZooKeeperServer, more: Record<string, unknown>): RegistryChoice {
  return { name: 'zookeeper', config: { addresses: [server.address], ...more } };
}

/** @param mode register mode and where metadata lie; null: 2.7 */
async function dubboProvider(
  server: ZooKeeperServer,
  mode: readonly [string, string] | null,
  protocol: 'dubbo' | 'tri',
  steps: readonly Step[],
): Promise<string> {
  await using scope = new Scope();
  const project: JavaProject = mode === null ? 'registry-2.7' : 'registry';
  const provider = await startJvm(scope, project, 'RegistryMain', [
    `-DDUBBO_IP_TO_REGISTRY=${loopback}`,
    `-Ddubbo.application.register-mode=${mode?.[0] ?? 'interface'}`,
    `-Dheddle.metadata=${mode?.[1] ?? 'local'}`,
  ]);
  const port = await freePort();
  await provider.ask('serve', `zookeeper://${server.address}`, 'java-provider', protocol, port);
  for (const step of steps) {
    const mesh = await consumer(scope, 'dubbo', dubbo(server, { migration: { step } }));
    if (protocol === 'dubbo') await findsPeer(mesh, 'dubbo');
    else await eventually(() => hostsOf(mesh).length > 0, 'the list arrives');
    assert.deepEqual(hostsOf(mesh), [`${loopback}:${port}`], step);
  }
  await provider.close();
  return '';
}

async function dubboConsumer(server: ZooKeeperServer, project: JavaProject, step: Step): Promise<string> {
  await using scope = new Scope();
  const publishAs = step === 'FORCE_INTERFACE' ? 'interface' : 'application';
  const service = await publishPeer(
    scope,
    'dubbo',
    dubbo(server, { application: 'node-provider', publishAs }),
  );
  const jvm = await startJvm(scope, project, 'RegistryMain', [
    `-Ddubbo.application.service-discovery.migration=${step}`,
  ]);
  await jvm.ask('refer', `zookeeper://${server.address}`, 'java-consumer', 'dubbo');
  await javaFindsPeer(jvm);
  await service.withdraw();
  await eventually(
    () =>
      jvm.ask('call', 'echo').then(
        () => false,
        (error: Error) => /No provider|Forbid/i.test(error.message),
      ),
    'the Java consumer sees that it is withdrawn',
  );
  await jvm.close();
  return '';
}

async function sofa(server: ZooKeeperServer): Promise<string> {
  await using scope = new Scope();
  const registry = dubbo(server, { dialect: 'sofa' });
  const provider = await startJvm(scope, 'sofaregistry', 'SofaRegistryMain');
  const port = await freePort();
  await provider.ask('serve', server.address, port);
  const mesh = await consumer(scope, 'bolt', registry);
  await findsPeer(mesh, 'bolt');
  assert.deepEqual(hostsOf(mesh), [`127.0.0.1:${port}`]);
  await provider.close();
  const service = await publishPeer(scope, 'bolt', registry);
  const jvm = await startJvm(scope, 'sofaregistry', 'SofaRegistryMain');
  await jvm.ask('refer', server.address);
  await javaFindsPeer(jvm);
  await service.withdraw();
  await jvm.close();
  return '';
}

/** What was published by one identity is closed to others, by SASL as by digest; a wrong password gets nowhere. */
async function credentials(server: ZooKeeperServer): Promise<string> {
  const digest = { user: 'other', password: 'x' };
  for (const [owner, stranger] of [
    [{ kind: 'saslDigest', ...saslUser }, digest],
    [digest, { kind: 'saslDigest', ...saslUser }],
  ]) {
    await using scope = new Scope();
    const as = (auth: unknown): RegistryChoice =>
      dubbo(server, { dialect: 'plain', root: `/closed-${owner === digest}`, auth: [auth] });
    await publishPeer(scope, 'dubbo', as(owner));
    await findsPeer(await consumer(scope, 'dubbo', as(owner)), 'dubbo');
    const wrong = { kind: 'saslDigest', ...saslUser, password: 'a guess' };
    const refused = [
      [stranger, /noAuth/],
      [wrong, /refuses the credentials: authFailed/],
    ] as const;
    const check = async ([auth, reason]: (typeof refused)[number]): Promise<void> => {
      const mesh = await consumer(scope, 'dubbo', as(auth));
      const reasons = mesh.clusters.registries.health().map(({ health }) => health.reason);
      assert.match(reasons.join(), reason);
      assert.deepEqual(hostsOf(mesh), []);
    };
    await Promise.all(refused.map(check));
  }
  return '';
}

/** The server is killed under traffic and comes back with its data, and then without. No call fails. */
async function outage(server: ZooKeeperServer): Promise<string> {
  await using scope = new Scope();
  const protocol: Protocol = 'dubbo';
  const config = { application: 'node-provider', sessionTimeoutMs: 4000 };
  const registry = dubbo(server, config);
  await publishPeer(scope, protocol, registry);
  const levels = await Promise.all(
    bothSteps.map((step) => consumer(scope, protocol, dubbo(server, { ...config, migration: { step } }))),
  );
  for (const mesh of levels) await findsPeer(mesh, protocol);
  const calls = traffic(levels, protocol);
  for (const losesData of [false, true]) {
    await server.kill();
    // Longer than the session lasts: by our own clock it is over, by the server's it may not be.
    await new Promise((resolve) => setTimeout(resolve, 6000));
    if (losesData) await server.forget();
    await server.start();
    await eventually(
      () =>
        levels.every((mesh) =>
          mesh.clusters.registries.health().every(({ health }) => health.status === 'ok'),
        ),
      'the registries are well again',
    ).catch((thrown: Error) => {
      const reasons = levels.flatMap((mesh) =>
        mesh.clusters.registries.health().map((each) => each.health.reason),
      );
      throw new Error(`${thrown.message}: ${reasons.join('; ')} (data lost: ${losesData})`);
    });
    // A service that is published now is found: watches and lists are alive.
    const late = await publishPeer(scope, protocol, registry);
    await eventually(() => levels.every((mesh) => hostsOf(mesh).length === 2), 'the new host is found');
    await late.withdraw();
    await eventually(() => levels.every((mesh) => hostsOf(mesh).length === 1), 'the withdrawn host leaves');
  }
  for (const mesh of levels) await echo(mesh, protocol);
  return `: ${await calls.stop()} calls, none failed`;
}
