import { type JuteReader, JuteWriter } from './jute.ts';
import { CreateMode, Op } from './protocol.ts';

/** What is known of a node (Stat of zookeeper.jute). */
export interface Stat {
  readonly modifiedZxid: bigint;
  readonly version: number;
  /** Session that an ephemeral node belongs to; 0n: not ephemeral. */
  readonly ephemeralOwner: bigint;
  readonly childCount: number;
}

export function readStat(reader: JuteReader): Stat {
  reader.long();
  const modifiedZxid = reader.long();
  reader.long();
  reader.long();
  const version = reader.int();
  reader.int();
  reader.int();
  const ephemeralOwner = reader.long();
  reader.int();
  const childCount = reader.int();
  reader.long();
  return { modifiedZxid, version, ephemeralOwner, childCount };
}

/** Who a session is; whoever shows both may carry it on. */
export interface SessionToken {
  readonly id: bigint;
  /** 16 bytes; a secret. */
  readonly password: Buffer;
}

export const noSession: SessionToken = { id: 0n, password: Buffer.alloc(16) };

/** The first frame from a client; it has no header. */
export function connectRequest(lastZxid: bigint, timeoutMs: number, session: SessionToken): Buffer {
  return new JuteWriter()
    .int(0)
    .long(lastZxid)
    .int(timeoutMs)
    .long(session.id)
    .buffer(session.password)
    .bool(false)
    .bytes();
}

export interface ConnectAnswer {
  /** 0 or less: the session that was asked for is gone. */
  readonly timeoutMs: number;
  readonly session: SessionToken;
}

/** Servers before 3.4 do not say whether they are read-only. */
export function readConnectAnswer(reader: JuteReader): ConnectAnswer {
  reader.int();
  const timeoutMs = reader.int();
  const id = reader.long();
  return { timeoutMs, session: { id, password: Buffer.from(reader.buffer() ?? []) } };
}

/** Who may do what with a node. `permissions` are bits: 1 read, 2 write, 4 create, 8 delete, 16 admin. */
export interface Acl {
  readonly permissions: number;
  readonly scheme: string;
  readonly id: string;
}

/** One write of a transaction. */
export type Write =
  | {
      readonly kind: 'create';
      readonly path: string;
      readonly data: Buffer | null;
      readonly mode: CreateMode;
      readonly acl: readonly Acl[];
    }
  | { readonly kind: 'delete'; readonly path: string; readonly version: number }
  | { readonly kind: 'set'; readonly path: string; readonly data: Buffer; readonly version: number }
  | { readonly kind: 'check'; readonly path: string; readonly version: number };

export function opOf(write: Write): Op {
  if (write.kind === 'create') return write.mode === CreateMode.container ? Op.createContainer : Op.create;
  if (write.kind === 'delete') return Op.delete;
  return write.kind === 'set' ? Op.setData : Op.check;
}

export function putWrite(writer: JuteWriter, write: Write): JuteWriter {
  writer.string(write.path);
  switch (write.kind) {
    case 'create':
      writer.buffer(write.data).int(write.acl.length);
      for (const { permissions, scheme, id } of write.acl) writer.int(permissions).string(scheme).string(id);
      return writer.int(write.mode);
    case 'set':
      return writer.buffer(write.data).int(write.version);
    default:
      return writer.int(write.version);
  }
}

/** MultiTransactionRecord: each write behind a header of its own, then one that says done. */
export function putTransaction(writer: JuteWriter, writes: readonly Write[]): JuteWriter {
  for (const write of writes) putWrite(writer.int(opOf(write)).bool(false).int(-1), write);
  return writer.int(-1).bool(true).int(-1);
}

/** @returns the error of each write of a transaction, 0 for what was done: one that fails undoes all */
export function readTransaction(reader: JuteReader): number[] {
  const codes: number[] = [];
  for (;;) {
    const op = reader.int();
    const isDone = reader.bool();
    const code = reader.int();
    if (isDone) return codes;
    if (op === Op.error) codes.push(reader.int());
    else codes.push(code);
    if (op === Op.create || op === Op.createContainer) reader.string();
    else if (op === Op.setData) readStat(reader);
  }
}

export interface WatchEvent {
  /** A number of `EventType`; -1 is about the session. */
  readonly type: number;
  readonly path: string;
}

export function readEvent(reader: JuteReader): WatchEvent {
  const type = reader.int();
  reader.int();
  return { type, path: reader.string() };
}
