import assert from 'node:assert/strict';
import type { Mesh } from '../../../src/index.ts';
import { eventually } from '../../mesh/support.ts';
import { Scope } from '../kit/check.ts';
import { startJvm } from '../kit/java.ts';
import { type NacosServer, startNacos } from '../kit/nacos.ts';
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

/** It listens long before it serves. */
const serveLimitMs = 120_000;
const bothSteps: readonly Step[] = ['FORCE_INTERFACE', 'FORCE_APPLICATION'];
const application: readonly Step[] = ['FORCE_APPLICATION'];

/**
 *   Dubbo 3.3 (interface; application: metadata local and remote), SOFARPC
 *      provider --- Nacos --- our mesh        our service --- Nacos --- consumer
 */
export async function nacosPeers(scope: Scope): Promise<string> {
  const server = await startNacos(scope);
  await isReady(server);
  const env = { NACOS: server.address };
  const parts: Part[] = [
    ['Dubbo 3.3 provider, both levels', () => dubboProvider(server, ['all', 'local'], bothSteps)],
    ['Dubbo 3.3 provider, metadata centre', () => dubboProvider(server, ['instance', 'remote'], application)],
    ['Dubbo 3.3 consumer, interface', () => dubboConsumer(server, 'FORCE_INTERFACE')],
    ['Dubbo 3.3 consumer, application', () => dubboConsumer(server, 'FORCE_APPLICATION')],
    ['SOFARPC', () => sofa(server)],
    ['the example', () => exampleAnswers('14-nacos.ts', env, /^answer: users saw \/42$/m)],
    ['Nacos dies and comes back', () => outage(server)],
  ];
  return await runParts(parts);
}

function nacos(server: NacosServer, more: Record<string, unknown>): RegistryChoice {
  return { name: 'nacos', config: { addresses: [server.address], dialect: 'dubbo', ...more } };
}

/** A server that listens may not serve yet. */
async function isReady(server: NacosServer): Promise<void> {
  await using scope = new Scope();
  const mesh = await consumer(scope, 'dubbo', nacos(server, { dialect: 'plain' }));
  const endMs = performance.now() + serveLimitMs;
  while (!isWell([mesh]) && performance.now() < endMs)
    await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(isWell([mesh]), `Nacos does not serve within ${serveLimitMs} ms`);
}

function isWell(meshes: readonly Mesh[]): boolean {
  return meshes.every((mesh) =>
    mesh.clusters.registries.health().every(({ health }) => health.status === 'ok'),
  );
}

/** @param mode register mode and where metadata lie */
async function dubboProvider(
  server: NacosServer,
  mode: readonly [string, string],
  steps: readonly Step[],
): Promise<string> {
  await using scope = new Scope();
  const provider = await startJvm(scope, 'registry-nacos', 'RegistryMain', [
    `-DDUBBO_IP_TO_REGISTRY=${loopback}`,
    `-Ddubbo.application.register-mode=${mode[0]}`,
    `-Dheddle.metadata=${mode[1]}`,
  ]);
  const port = await freePort();
  await provider.ask('serve', `nacos://${server.address}`, 'java-provider', 'dubbo', port);
  for (const step of steps) {
    const mesh = await consumer(scope, 'dubbo', nacos(server, { migration: { step } }));
    await findsPeer(mesh, 'dubbo');
    assert.deepEqual(hostsOf(mesh), [`${loopback}:${port}`], step);
  }
  await provider.close();
  return '';
}

async function dubboConsumer(server: NacosServer, step: Step): Promise<string> {
  await using scope = new Scope();
  const publishAs = step === 'FORCE_INTERFACE' ? 'interface' : 'application';
  const registry = nacos(server, { application: 'node-provider', publishAs });
  const service = await publishPeer(scope, 'dubbo', registry);
  const jvm = await startJvm(scope, 'registry-nacos', 'RegistryMain', [
    `-Ddubbo.application.service-discovery.migration=${step}`,
  ]);
  await jvm.ask('refer', `nacos://${server.address}`, 'java-consumer', 'dubbo');
  await javaFindsPeer(jvm);
  await service.withdraw();
  await jvm.close();
  return '';
}

async function sofa(server: NacosServer): Promise<string> {
  await using scope = new Scope();
  const registry = nacos(server, { dialect: 'sofa' });
  const provider = await startJvm(scope, 'sofaregistry-nacos', 'SofaRegistryMain');
  const port = await freePort();
  await provider.ask('serve', `nacos://${server.address}`, port);
  const mesh = await consumer(scope, 'bolt', registry);
  await findsPeer(mesh, 'bolt');
  assert.deepEqual(hostsOf(mesh), [`127.0.0.1:${port}`]);
  await provider.close();
  const service = await publishPeer(scope, 'bolt', registry);
  const jvm = await startJvm(scope, 'sofaregistry-nacos', 'SofaRegistryMain');
  await jvm.ask('refer', `nacos://${server.address}`);
  await javaFindsPeer(jvm);
  await service.withdraw();
  await jvm.close();
  return '';
}

/** The server is killed under traffic and comes back without what lived with connections. No call fails. */
async function outage(server: NacosServer): Promise<string> {
  await using scope = new Scope();
  const protocol: Protocol = 'dubbo';
  const config = { application: 'node-provider' };
  const registry = nacos(server, config);
  await publishPeer(scope, protocol, registry);
  const levels = await Promise.all(
    bothSteps.map((step) => consumer(scope, protocol, nacos(server, { ...config, migration: { step } }))),
  );
  for (const mesh of levels) await findsPeer(mesh, protocol);
  const calls = traffic(levels, protocol);
  await server.kill();
  await eventually(() => !isWell(levels), 'it is noticed');
  await new Promise((resolve) => setTimeout(resolve, 3000));
  await server.start();
  await eventually(() => isWell(levels), 'the registries are well again');
  // A service that is published now is found: subscriptions are alive.
  const late = await publishPeer(scope, protocol, registry);
  await eventually(() => levels.every((mesh) => hostsOf(mesh).length === 2), 'the new host is found');
  await late.withdraw();
  await eventually(() => levels.every((mesh) => hostsOf(mesh).length === 1), 'the withdrawn host leaves');
  for (const mesh of levels) await echo(mesh, protocol);
  return `: ${await calls.stop()} calls, none failed`;
}
