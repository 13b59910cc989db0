import { once } from 'node:events';
import { JavaException, type Mesh, type RpcService, type RpcServiceCall } from '../../../src/index.ts';

const peerInterface = 'heddle.interop.Peer';
const userClass = 'heddle.interop.User';

interface User {
  readonly age: number;
  readonly friend: User | null;
}

const withClass = (user: User | null, years: number): unknown =>
  user === null
    ? null
    : { $class: userClass, $: { ...user, age: user.age + years, friend: withClass(user.friend, years) } };

/** java/common/heddle/interop/PeerImpl.java, in JavaScript. */
function peerMethods() {
  const notes: string[] = [];
  return {
    echo: (text: string) => text,
    older: (user: User | null, years: number) => withClass(user, years),
    reversed: (list: unknown[]) => list.toReversed(),
    swapped: (map: Record<string, unknown>) =>
      Object.fromEntries(Object.entries(map).map(([key, value]) => [String(value), key])),
    sum: { returns: 'long', handler: (a: number | bigint, b: number | bigint) => BigInt(a) + BigInt(b) },
    later: (date: Date, ms: number) => new Date(date.getTime() + ms),
    same: (value: unknown) => value,
    bytes: (bytes: Buffer) => Buffer.from(bytes).reverse(),
    note: (text: string) => {
      notes.push(text);
    },
    notes: () => notes,
    declared: (text: string) => {
      throw new JavaException('heddle.interop.DeclaredException', `declared: ${text}`, { number: 7 });
    },
    runtime: (text: string) => {
      throw new JavaException('java.lang.IllegalStateException', `runtime: ${text}`);
    },
    slow: async (ms: number, call: RpcServiceCall) => {
      const timer = setTimeout(() => {}, ms);
      await Promise.race([
        new Promise((resolve) => setTimeout(resolve, ms).unref()),
        once(call.signal, 'abort'),
      ]);
      clearTimeout(timer);
      return `slept ${ms}`;
    },
    attachment: (key: string, call: RpcServiceCall) => {
      call.responseAttachments['served-by'] = 'node';
      call.responseAttachments['rpc_resp_baggage.served-by'] = 'node';
      return call.attachments[key] ?? call.attachments[`rpc_req_baggage.${key}`] ?? null;
    },
  };
}

/** The same service from this process at an address. */
export function servePeer(
  mesh: Mesh,
  protocol: 'bolt' | 'dubbo',
  address = '127.0.0.1:0',
): Promise<RpcService> {
  return mesh.serveRpc({ ...identityOf(protocol), methods: peerMethods(), address });
}

/** Version and group as the Java programs give them. */
export function identityOf(protocol: 'bolt' | 'dubbo') {
  const group = protocol === 'dubbo' ? 'interop' : '';
  return { protocol, service: peerInterface, version: '1.0', group } as const;
}
