/** Numbers of the ZooKeeper protocol (ZooDefs.OpCode, KeeperException.Code, Watcher.Event of 3.4 to 3.9). */
export const Op = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  sync: 9,
  ping: 11,
  getChildren2: 12,
  check: 13,
  multi: 14,
  createContainer: 19,
  createTtl: 21,
  auth: 100,
  setWatches: 101,
  sasl: 102,
  setWatches2: 105,
  addWatch: 106,
  removeWatches: 18,
  closeSession: -11,
  error: -1,
} as const;
export type Op = (typeof Op)[keyof typeof Op];

/** Ids of what is no answer to a request of ours. */
export const Xid = { notification: -1, ping: -2, auth: -4, setWatches: -8 } as const;

export const ZkCode = {
  ok: 0,
  connectionLoss: -4,
  marshalling: -5,
  unimplemented: -6,
  noNode: -101,
  noAuth: -102,
  badVersion: -103,
  noChildrenForEphemerals: -108,
  nodeExists: -110,
  notEmpty: -111,
  sessionExpired: -112,
  invalidAcl: -114,
  authFailed: -115,
  sessionMoved: -118,
  notReadOnly: -119,
} as const;

const codeNames = new Map<number, string>(Object.entries(ZkCode).map(([name, code]) => [code, name]));

export const EventType = {
  created: 1,
  deleted: 2,
  dataChanged: 3,
  childrenChanged: 4,
} as const;

/** `mode` of create: bit 0 ephemeral, bit 1 sequential; container and TTL are ops of their own. */
export const CreateMode = {
  persistent: 0,
  ephemeral: 1,
  sequential: 2,
  ephemeralSequential: 3,
  container: 4,
} as const;
export type CreateMode = (typeof CreateMode)[keyof typeof CreateMode];

export const WatchMode = { persistent: 0, recursive: 1 } as const;

/** What a server answered instead of a result, or that the connection went before it answered (`connectionLoss`). */
export class ZooKeeperError extends Error {
  override readonly name = 'ZooKeeperError';
  /** A number of `ZkCode`. */
  readonly zkCode: number;

  constructor(zkCode: number, what: string) {
    super(`${codeNames.get(zkCode) ?? `error ${zkCode}`} (${what})`);
    this.zkCode = zkCode;
  }
}

/** @returns whether `thrown` is that answer of a server */
export function isZkError(thrown: unknown, zkCode: number): boolean {
  return thrown instanceof ZooKeeperError && thrown.zkCode === zkCode;
}
