import type { JuteReader, JuteWriter } from '../wire/jute.ts';
import { type CreateMode, isZkError, Op, WatchMode, ZkCode, ZooKeeperError } from '../wire/protocol.ts';
import {
  type Acl,
  opOf,
  putTransaction,
  putWrite,
  readStat,
  readTransaction,
  type Stat,
  type WatchEvent,
  type Write,
} from '../wire/records.ts';
import type { Session } from './session.ts';
import { type EventListener, parentOf } from './watch-table.ts';

/** Called once, in the order of the server's answers and events. `value` is null where there is an error. */
export type Done<Value> = (error: ZooKeeperError | null, value: Value | null) => void;

export interface Node {
  readonly data: Buffer;
  readonly stat: Stat;
}

/** Any kind of watch (`WatcherType.Any`). */
const anyWatch = 3;

/**
 * The operations on one session. Paths are those below the chroot. While there is no connection every operation fails at
 * once with `connectionLoss`: who keeps something up to date does it again after `onConnected`.
 */
export class ZooKeeperClient {
  readonly session: Session;
  readonly #chroot: string;

  /** @param chroot "" or "/a/b" */
  constructor(session: Session, chroot: string) {
    this.session = session;
    this.#chroot = chroot;
  }

  /** Children by name. @param isWatched sets a one-shot watch; where there is no node, none */
  children(path: string, isWatched: boolean, done: Done<string[]>): void {
    this.#read(Op.getChildren2, path, isWatched ? 'children' : null, (reader) => reader.strings(), done);
  }

  data(path: string, isWatched: boolean, done: Done<Node>): void {
    const decode = (reader: JuteReader): Node => {
      const data = reader.buffer() ?? Buffer.alloc(0);
      return { data, stat: readStat(reader) };
    };
    this.#read(Op.getData, path, isWatched ? 'data' : null, decode, done);
  }

  /** @param isWatched sets a one-shot watch, also where there is no node: its creation is told */
  exists(path: string, isWatched: boolean, done: Done<Stat>): void {
    this.#read(Op.exists, path, isWatched ? 'data' : null, readStat, (error, stat) => {
      if (isWatched && error?.zkCode === ZkCode.noNode)
        this.session.watches.armed('exists', this.#full(path));
      done(error, stat);
    });
  }

  /** One watch for `path` and all below it that stays (3.6+). Fails with `unimplemented` on older servers. */
  watchRecursively(path: string, done: Done<true>): void {
    const full = this.#full(path);
    if (this.session.watches.isRecursive(full)) {
      done(null, true);
      return;
    }
    const write = (writer: JuteWriter): void => void writer.string(full).int(WatchMode.recursive);
    this.#request(Op.addWatch, full, write, (error) => {
      if (error === null) this.session.watches.armed('recursive', full);
      else if (error.zkCode === ZkCode.unimplemented) this.session.useOneShotWatches();
      done(error, error === null ? true : null);
    });
  }

  /** Hears of `path` and the nodes right below it, however they are watched. The last one to stop ends its watches. */
  listen(path: string, listener: EventListener): () => void {
    const full = this.#full(path);
    const { watches } = this.session;
    const stop = watches.listen(full, (event) => listener(this.#ours(event)));
    return () => {
      stop();
      if (watches.isListening(full)) return;
      const isSet = watches.isRecursive(full);
      watches.forget(full);
      const write = (writer: JuteWriter): void => void writer.string(full).int(anyWatch);
      if (isSet) this.#request(Op.removeWatches, full, write, () => {});
    };
  }

  /** @throws ZooKeeperError as every operation below */
  read(path: string): Promise<Node> {
    return promised((done) => this.data(path, false, done));
  }

  async create(path: string, data: Buffer, mode: CreateMode, acl: readonly Acl[]): Promise<void> {
    await this.#write({ kind: 'create', path: this.#full(path), data, mode, acl });
  }

  /** @param version of what is replaced; -1 = any */
  async set(path: string, data: Buffer, version: number): Promise<void> {
    await this.#write({ kind: 'set', path: this.#full(path), data, version });
  }

  /** @param version of what is deleted; -1 = any */
  async delete(path: string, version = -1): Promise<void> {
    await this.#write({ kind: 'delete', path: this.#full(path), version });
  }

  /** All of them or none. @throws ZooKeeperError of the write that failed */
  async transact(writes: readonly Write[]): Promise<void> {
    const full = writes.map((write) => ({ ...write, path: this.#full(write.path) }));
    const what = full.map((write) => `${write.kind} ${write.path}`).join(', ');
    const codes = await promised<number[]>((done) =>
      this.#request(
        Op.multi,
        what,
        (writer) => void putTransaction(writer, full),
        (error, reader) => done(error, error === null ? readTransaction(reader) : null),
      ),
    );
    const failed = codes.findIndex((code) => code !== ZkCode.ok);
    if (failed >= 0) throw new ZooKeeperError(codes[failed] as number, what);
  }

  /** Creates what is missing above `path`, the chroot included. */
  async createParents(path: string, acl: readonly Acl[]): Promise<void> {
    const parent = parentOf(this.#full(path));
    if (parent === '/') return;
    const missing: string[] = [];
    for (let at = parent; at !== '/'; at = parentOf(at)) {
      const stat = await promised<Stat>((done) => this.#statOf(at, done)).catch(absentAsNull);
      if (stat !== null) break;
      missing.push(at);
    }
    for (const each of missing.reverse()) {
      const write: Write = { kind: 'create', path: each, data: null, mode: 0, acl };
      await this.#write(write).catch((thrown: unknown) => {
        if (!isZkError(thrown, ZkCode.nodeExists)) throw thrown;
      });
    }
  }

  #statOf(full: string, done: Done<Stat>): void {
    const write = (writer: JuteWriter): void => void writer.string(full).bool(false);
    this.#request(Op.exists, full, write, (error, reader) =>
      done(error, error === null ? readStat(reader) : null),
    );
  }

  #read<Value>(
    op: Op,
    path: string,
    watch: 'data' | 'children' | null,
    decode: (reader: JuteReader) => Value,
    done: Done<Value>,
  ): void {
    const full = this.#full(path);
    const write = (writer: JuteWriter): void => void writer.string(full).bool(watch !== null);
    this.#request(op, full, write, (error, reader) => {
      if (error === null && watch !== null) this.session.watches.armed(watch, full);
      done(error, error === null ? decode(reader) : null);
    });
  }

  #write(write: Write): Promise<true> {
    return promised((done) =>
      this.#request(
        opOf(write),
        write.path,
        (writer) => void putWrite(writer, write),
        (error) => done(error, error === null ? true : null),
      ),
    );
  }

  #request(
    op: Op,
    what: string,
    write: (writer: JuteWriter) => void,
    reply: (error: ZooKeeperError | null, reader: JuteReader) => void,
  ): void {
    const { connection } = this.session;
    if (connection === null) reply(new ZooKeeperError(ZkCode.connectionLoss, what), null as never);
    else connection.request(op, what, write, reply);
  }

  #full(path: string): string {
    return path === '/' && this.#chroot !== '' ? this.#chroot : this.#chroot + path;
  }

  #ours(event: WatchEvent): WatchEvent {
    const path = event.path.slice(this.#chroot.length);
    return { type: event.type, path: path === '' ? '/' : path };
  }
}

function promised<Value>(run: (done: Done<Value>) => void): Promise<Value> {
  return new Promise((resolve, reject) => {
    run((error, value) => (error === null ? resolve(value as Value) : reject(error)));
  });
}

function absentAsNull(thrown: unknown): null {
  if (isZkError(thrown, ZkCode.noNode)) return null;
  throw thrown;
}
