import type { JuteWriter } from '../../../../src/transport/registries/zookeeper/wire/jute.ts';
import { EventType, ZkCode } from '../../../../src/transport/registries/zookeeper/wire/protocol.ts';

export interface FakeNode {
  data: Buffer;
  version: number;
  created: bigint;
  modified: bigint;
  owner: bigint;
  children: Set<string>;
}

/** Who hears of a change; `recursive` watches stay, the others go with their event. */
export interface FakeWatcher {
  readonly data: Set<string>;
  readonly children: Set<string>;
  readonly recursive: Set<string>;
  event(type: number, path: string): void;
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** The tree of an ensemble: nodes, ephemeral owners and watches, as DataTree of ZooKeeper keeps them. */
export class FakeTree {
  readonly nodes = new Map<string, FakeNode>();
  readonly watchers = new Set<FakeWatcher>();
  zxid = 1n;
  sessionSerial = 1000n;

  constructor() {
    this.nodes.set('/', this.#node(Buffer.alloc(0), 0n));
  }

  childrenOf(path: string): string[] {
    return [...(this.nodes.get(path)?.children ?? [])].sort();
  }

  text(path: string): string | null {
    return this.nodes.get(path)?.data.toString() ?? null;
  }

  create(path: string, data: Buffer, owner: bigint): number {
    const parent = this.nodes.get(parentOf(path));
    if (parent === undefined) return ZkCode.noNode;
    if (this.nodes.has(path)) return ZkCode.nodeExists;
    if (parent.owner !== 0n) return ZkCode.noChildrenForEphemerals;
    this.zxid++;
    this.nodes.set(path, this.#node(data, owner));
    parent.children.add(nameOf(path));
    this.#fire('data', path, EventType.created);
    this.#fire('children', parentOf(path), EventType.childrenChanged);
    return ZkCode.ok;
  }

  /** Creates what is missing above it, too. */
  put(path: string, data = ''): void {
    const parent = parentOf(path);
    if (!this.nodes.has(parent)) this.put(parent);
    if (this.create(path, Buffer.from(data), 0n) !== ZkCode.ok) this.set(path, Buffer.from(data), -1);
  }

  set(path: string, data: Buffer, version: number): number {
    const node = this.nodes.get(path);
    if (node === undefined) return ZkCode.noNode;
    if (version !== -1 && version !== node.version) return ZkCode.badVersion;
    node.data = data;
    node.version++;
    node.modified = ++this.zxid;
    this.#fire('data', path, EventType.dataChanged);
    return ZkCode.ok;
  }

  delete(path: string, version = -1): number {
    const node = this.nodes.get(path);
    if (node === undefined) return ZkCode.noNode;
    if (version !== -1 && version !== node.version) return ZkCode.badVersion;
    if (node.children.size > 0) return ZkCode.notEmpty;
    this.zxid++;
    this.nodes.delete(path);
    this.nodes.get(parentOf(path))?.children.delete(nameOf(path));
    this.#fire('data', path, EventType.deleted);
    this.#fire('children', path, EventType.deleted);
    this.#fire('children', parentOf(path), EventType.childrenChanged);
    return ZkCode.ok;
  }

  deleteAll(path: string): void {
    for (const child of this.childrenOf(path))
      this.deleteAll(path === '/' ? `/${child}` : `${path}/${child}`);
    if (path !== '/') this.delete(path);
  }

  endSession(id: bigint): void {
    for (const [path, node] of [...this.nodes]) if (node.owner === id) this.delete(path);
  }

  putStat(writer: JuteWriter, node: FakeNode): void {
    writer.long(node.created).long(node.modified).long(0n).long(0n).int(node.version).int(0).int(0);
    writer.long(node.owner).int(node.data.length).int(node.children.size).long(node.modified);
  }

  /** Recursive watches hear of nodes, not of lists; a watcher hears once of a node. */
  #fire(kind: 'data' | 'children', path: string, type: number): void {
    for (const watcher of [...this.watchers]) {
      const isHeard = watcher[kind].delete(path);
      const isBelow =
        kind === 'data' &&
        [...watcher.recursive].some(
          (root) => path === root || path.startsWith(root === '/' ? '/' : `${root}/`),
        );
      if (isBelow) {
        if (type === EventType.deleted) watcher.children.delete(path);
        watcher.event(type, path);
      } else if (isHeard) {
        if (type === EventType.deleted) watcher.children.delete(path);
        watcher.event(type, path);
      }
    }
  }

  #node(data: Buffer, owner: bigint): FakeNode {
    return { data, version: 0, created: this.zxid, modified: this.zxid, owner, children: new Set() };
  }
}
