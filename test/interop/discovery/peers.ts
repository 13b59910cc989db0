import assert from 'node:assert/strict';
import { createMesh, type Mesh, type MeshConfig } from '../../../src/index.ts';
import { standard } from '../../../src/standard.ts';
import { deadAddress, eventually } from '../../mesh/support.ts';
import type { Scope } from '../kit/check.ts';
import type { Jvm } from '../kit/java.ts';
import { identityOf, servePeer } from '../rpc/service.ts';

export type Protocol = 'bolt' | 'dubbo';
export const greeting = 'grüße 😀';

/** Java's Dubbo takes 127.0.0.1 for a mistake and puts another address in its place; as one number it leaves it alone. */
export const loopback = '2130706433';

/** A registry of the mesh: name and configuration. */
export interface RegistryChoice {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

export async function freePort(): Promise<string> {
  return (await deadAddress()).split(':')[1] as string;
}

/** A mesh whose cluster "peer" comes from the registry. */
export async function consumer(scope: Scope, protocol: Protocol, registry: RegistryChoice): Promise<Mesh> {
  const { service, version, group } = identityOf(protocol);
  const name = `${group === '' ? '' : `${group}/`}${service}:${version}`;
  const discovery = { name: registry.name, service: name, config: registry.config };
  const config: MeshConfig = { clusters: [{ name: 'peer', codec: protocol, discovery }] };
  const mesh = await createMesh(config);
  scope.teardown(() => mesh.close());
  return mesh;
}

export function echo(mesh: Mesh, protocol: Protocol): Promise<unknown> {
  const peer = mesh.rpc({ ...identityOf(protocol), cluster: 'peer' });
  return peer.invoke('echo', [greeting], { timeoutMs: 2000 });
}

/** Hosts of "peer" by address. */
export function hostsOf(mesh: Mesh): string[] {
  return (mesh.clusters.get('peer')?.hostSet.all ?? []).map((host) => host.address);
}

/** Calls until the first answer: the list may still be on its way. */
export async function findsPeer(mesh: Mesh, protocol: Protocol): Promise<void> {
  await eventually(() => hostsOf(mesh).length > 0, 'the list arrives');
  await eventually(() => echo(mesh, protocol).catch(() => false), 'the peer answers');
  assert.equal(await echo(mesh, protocol), greeting);
}

export interface NodeService {
  readonly mesh: Mesh;
  withdraw(): Promise<void>;
}

/** The peer service of this process at an address, published. @param host as which this machine is published */
export async function publishPeer(
  scope: Scope,
  protocol: Protocol,
  registry: RegistryChoice,
  host: string = protocol === 'dubbo' ? loopback : '127.0.0.1',
): Promise<NodeService> {
  const mesh = await createMesh();
  scope.teardown(() => mesh.close());
  const { address } = await servePeer(mesh, protocol);
  const { service, version, group } = identityOf(protocol);
  const definition = standard.registries.find((each) => each.name === registry.name);
  const checked = await definition?.config['~standard'].validate(registry.config);
  if (checked === undefined || checked.issues !== undefined) throw new Error(JSON.stringify(checked?.issues));
  const published = mesh.clusters.registries.publish(
    { name: registry.name, config: checked.value },
    {
      service: `${group === '' ? '' : `${group}/`}${service}:${version}`,
      protocol,
      endpoint: {
        address: `${host}:${address.split(':')[1]}`,
        weight: 100,
        metadata: {},
        zone: '',
        priority: 0,
        hostname: '',
      },
    },
  );
  await published.ready;
  return { mesh, withdraw: () => published.withdraw() };
}

/** Calls from Java until the first answer, then once more for its text. */
export async function javaFindsPeer(jvm: Jvm): Promise<void> {
  let last = '';
  const tryOnce = (): Promise<boolean> =>
    jvm.ask('call', 'echo').then(
      () => true,
      (error: Error) => {
        last = error.message;
        return false;
      },
    );
  await eventually(tryOnce, 'the Java consumer finds the service').catch((thrown: Error) => {
    throw new Error(`${thrown.message}: ${last.slice(0, 2000)}`);
  });
  assert.equal(await jvm.ask('call', 'echo'), greeting);
}
