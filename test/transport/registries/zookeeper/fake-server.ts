import { Code } from '../../../../src/core/base/codes.ts';
import type { Wire } from '../../../../src/core/contract/wire.ts';
import type { FakeClock } from '../../../../src/testing/fake-clock.ts';
import { FrameReader } from '../../../../src/transport/registries/zookeeper/wire/frame-reader.ts';
import { JuteReader, JuteWriter } from '../../../../src/transport/registries/zookeeper/wire/jute.ts';
import { Op, ZkCode } from '../../../../src/transport/registries/zookeeper/wire/protocol.ts';
import { FakeTree, type FakeWatcher } from './fake-tree.ts';

interface FakeSession {
  readonly id: bigint;
  readonly password: Buffer;
  readonly timeoutMs: number;
  heardMs: number;
  connection: FakeConnection | null;
}

export interface FakeServerOptions {
  /** False: as 3.4 and 3.5, which end a connection that asks for what they do not know (true). */
  readonly knowsAddWatch?: boolean;
  /** "user:password" that has to be shown before anything else (none). */
  readonly digest?: string;
  readonly maxTimeoutMs?: number;
}

/** A ZooKeeper server at the level of the protocol. Several of one `tree` are an ensemble. */
export class FakeZooKeeper {
  readonly tree: FakeTree;
  readonly sessions: Map<bigint, FakeSession>;
  readonly connections = new Set<FakeConnection>();
  readonly options: FakeServerOptions;
  readonly clock: FakeClock;
  /** Ops in the order they came, for assertions. */
  readonly seen: number[] = [];
  /** Takes bytes and answers nothing. */
  isSilent = false;

  constructor(clock: FakeClock, options: FakeServerOptions = {}, ensemble: FakeZooKeeper | null = null) {
    this.clock = clock;
    this.options = options;
    this.tree = ensemble?.tree ?? new FakeTree();
    this.sessions = ensemble?.sessions ?? new Map();
  }

  accept(wire: Wire): void {
    this.connections.add(new FakeConnection(this, wire));
  }

  /** What the server does when it looks at its clock. */
  expireSessions(): void {
    for (const session of this.sessions.values()) {
      if (this.clock.now() - session.heardMs >= session.timeoutMs) this.end(session.id);
    }
  }

  end(id: bigint): void {
    this.sessions.delete(id);
    this.tree.endSession(id);
  }

  open(id: bigint, password: Buffer, timeoutMs: number): FakeSession | null {
    if (id !== 0n) {
      const known = this.sessions.get(id);
      if (known === undefined || !known.password.equals(password)) return null;
      known.heardMs = this.clock.now();
      return known;
    }
    const next = ++this.tree.sessionSerial;
    const granted = Math.min(timeoutMs, this.options.maxTimeoutMs ?? 40_000);
    const made = {
      id: next,
      password: Buffer.alloc(16, Number(next % 251n)),
      timeoutMs: granted,
      heardMs: this.clock.now(),
      connection: null,
    };
    this.sessions.set(next, made);
    return made;
  }

  /** All connections break. */
  breakConnections(): void {
    for (const connection of [...this.connections]) connection.wire.destroy(Code.locallyClosed);
  }
}

export class FakeConnection implements FakeWatcher {
  readonly data = new Set<string>();
  readonly children = new Set<string>();
  readonly recursive = new Set<string>();
  readonly wire: Wire;
  session: FakeSession | null = null;
  readonly #server: FakeZooKeeper;
  readonly #frames = new FrameReader(64 * 1024 * 1024, (frame) => this.#receive(frame));
  #isAuthenticated: boolean;

  constructor(server: FakeZooKeeper, wire: Wire) {
    this.#server = server;
    this.wire = wire;
    this.#isAuthenticated = server.options.digest === undefined;
    server.tree.watchers.add(this);
    wire.attach({
      onBytes: (buf, start, end) => {
        if (!server.isSilent) this.#frames.push(buf, start, end);
      },
      onDrain: () => {},
      onEnd: () => wire.end(),
      onClose: () => {
        server.connections.delete(this);
        server.tree.watchers.delete(this);
      },
    });
  }

  event(type: number, path: string): void {
    this.raw(new JuteWriter().int(-1).long(-1n).int(0).int(type).int(3).string(path).bytes());
  }

  /** One frame as it is. */
  raw(body: Buffer): void {
    if (this.#server.isSilent) return;
    const frame = Buffer.alloc(4 + body.length);
    frame.writeInt32BE(body.length);
    body.copy(frame, 4);
    this.wire.write(frame, 0, frame.length);
  }

  #receive(frame: Buffer): void {
    const reader = new JuteReader(frame);
    if (this.session === null) {
      this.#connect(reader);
      return;
    }
    this.session.heardMs = this.#server.clock.now();
    const xid = reader.int();
    const op = reader.int();
    if (op !== Op.ping) this.#server.seen.push(op);
    if (!this.#isAuthenticated && op !== Op.auth && op !== Op.ping) {
      this.#answer(xid, ZkCode.noAuth);
      return;
    }
    const isUnknown = this.#server.options.knowsAddWatch === false;
    if (isUnknown && (op === Op.addWatch || op === Op.setWatches2)) {
      this.#answer(xid, ZkCode.unimplemented);
      this.wire.end();
      return;
    }
    const body = new JuteWriter();
    const code = this.#run(op, reader, body);
    this.#answer(xid, code, body);
    if (op === Op.closeSession) this.wire.end();
    if (code === ZkCode.authFailed) this.wire.end();
  }

  #connect(reader: JuteReader): void {
    reader.int();
    const zxid = reader.long();
    const timeoutMs = reader.int();
    const id = reader.long();
    if (zxid > this.#server.tree.zxid) {
      this.wire.end();
      return;
    }
    const session = this.#server.open(id, Buffer.from(reader.buffer() ?? []), timeoutMs);
    const writer = new JuteWriter()
      .int(0)
      .int(session?.timeoutMs ?? 0)
      .long(session?.id ?? 0n);
    this.raw(
      writer
        .buffer(session?.password ?? Buffer.alloc(16))
        .bool(false)
        .bytes(),
    );
    if (session === null) {
      this.wire.end();
      return;
    }
    // The last one to show a session has it.
    session.connection?.wire.destroy(Code.locallyClosed);
    session.connection = this;
    this.session = session;
  }

  #answer(xid: number, code: number, body: JuteWriter | null = null): void {
    const head = new JuteWriter().int(xid).long(this.#server.tree.zxid).int(code).bytes();
    this.raw(code === ZkCode.ok && body !== null ? Buffer.concat([head, body.bytes()]) : head);
  }

  #run(op: number, reader: JuteReader, body: JuteWriter): number {
    const { tree } = this.#server;
    switch (op) {
      case Op.ping:
        return ZkCode.ok;
      case Op.auth:
        reader.int();
        reader.string();
        this.#isAuthenticated ||= reader.string() === this.#server.options.digest;
        return this.#isAuthenticated ? ZkCode.ok : ZkCode.authFailed;
      case Op.closeSession:
        this.#server.end((this.session as FakeSession).id);
        return ZkCode.ok;
      case Op.create:
      case Op.createContainer:
      case Op.setData:
      case Op.delete:
      case Op.check:
        return this.#write(op, reader, body);
      case Op.multi:
        return this.#transact(reader, body);
      case Op.addWatch:
        this.recursive.add(reader.string());
        return ZkCode.ok;
      case Op.removeWatches:
        this.recursive.delete(reader.string());
        return ZkCode.ok;
      case Op.setWatches:
      case Op.setWatches2:
        return this.#setWatches(reader, op === Op.setWatches2);
      default:
        return this.#read(op, reader, body, tree);
    }
  }

  #read(op: number, reader: JuteReader, body: JuteWriter, tree: FakeTree): number {
    const path = reader.string();
    const isWatched = reader.bool();
    const node = tree.nodes.get(path);
    if (node === undefined) {
      if (op === Op.exists && isWatched) this.data.add(path);
      return ZkCode.noNode;
    }
    if (isWatched) (op === Op.getChildren2 ? this.children : this.data).add(path);
    if (op === Op.getChildren2) body.strings([...node.children]);
    if (op === Op.getData) body.buffer(node.data);
    tree.putStat(body, node);
    return ZkCode.ok;
  }

  #write(op: number, reader: JuteReader, body: JuteWriter): number {
    const { tree } = this.#server;
    const path = reader.string();
    if (op === Op.create || op === Op.createContainer) {
      const data = Buffer.from(reader.buffer() ?? []);
      const acls = reader.int();
      for (let i = 0; i < acls; i++) {
        reader.int();
        reader.string();
        reader.string();
      }
      const isEphemeral = (reader.int() & 1) === 1;
      body.string(path);
      return tree.create(path, data, isEphemeral ? (this.session as FakeSession).id : 0n);
    }
    if (op === Op.setData) {
      const data = Buffer.from(reader.buffer() ?? []);
      const code = tree.set(path, data, reader.int());
      const node = tree.nodes.get(path);
      if (node !== undefined) tree.putStat(body, node);
      return code;
    }
    const version = reader.int();
    if (op === Op.delete) return tree.delete(path, version);
    const node = tree.nodes.get(path);
    if (node === undefined) return ZkCode.noNode;
    return version === -1 || node.version === version ? ZkCode.ok : ZkCode.badVersion;
  }

  /** No rollback: the first that fails fails the rest, enough for what is asked here. */
  #transact(reader: JuteReader, body: JuteWriter): number {
    for (;;) {
      const op = reader.int();
      const isDone = reader.bool();
      reader.int();
      if (isDone) break;
      const part = new JuteWriter();
      const code = this.#write(op, reader, part);
      if (code === ZkCode.ok) {
        body.int(op).bool(false).int(0);
        if (op === Op.create) body.string('/x');
        if (op === Op.setData)
          body.long(0n).long(0n).long(0n).long(0n).int(0).int(0).int(0).long(0n).int(0).int(0).long(0n);
      } else body.int(Op.error).bool(false).int(code).int(code);
    }
    body.int(-1).bool(true).int(-1);
    return ZkCode.ok;
  }

  /** One-shot watches whose node changed since fire at once; recursive ones are only set. */
  #setWatches(reader: JuteReader, isSecond: boolean): number {
    const since = reader.long();
    const [data, exists, children] = [reader.strings(), reader.strings(), reader.strings()];
    const { nodes } = this.#server.tree;
    for (const path of data) {
      const node = nodes.get(path);
      if (node === undefined) this.event(2, path);
      else if (node.modified > since) this.event(3, path);
      else this.data.add(path);
    }
    for (const path of exists) {
      if (nodes.has(path)) this.event(1, path);
      else this.data.add(path);
    }
    // The fake does not know when a list changed: it says so each time.
    for (const path of children) this.event(nodes.has(path) ? 4 : 2, path);
    if (isSecond) {
      reader.strings();
      for (const path of reader.strings()) this.recursive.add(path);
    }
    return ZkCode.ok;
  }
}
