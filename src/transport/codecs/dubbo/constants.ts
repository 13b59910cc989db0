/**
 * The 16 bytes in front of every Dubbo2 message, big-endian (apache/dubbo ExchangeCodec):
 *
 *   da bb | flag u8 | status u8 | request id u64 | body length i32 | body
 *
 * flag: 80 request, 40 two-way, 20 event, low 5 bits the serialization of the body. status: of responses.
 */
export const headerBytes = 16;
export const magicHigh = 0xda;
export const magicLow = 0xbb;

export const Flag = { request: 0x80, twoWay: 0x40, event: 0x20, serialization: 0x1f } as const;

/** Serializations whose bytes are Hessian 2.0; all others are passed on unread. */
export const hessian2Id = 2;
const nativeHessianId = 10;

/** The first value of an answer with status OK: what follows. */
export const Result = {
  exception: 0,
  value: 1,
  null: 2,
  exceptionWithAttachments: 3,
  valueWithAttachments: 4,
  nullWithAttachments: 5,
} as const;

/** Bodies of events: heartbeat, and "R": no new requests on this connection. */
export const nullTag = 0x4e;
export const readOnlyEvent = Buffer.from('\x01R', 'latin1');

/** Version of the protocol that our own requests name: the lowest whose servers return attachments. */
export const dubboVersion = '2.0.2';
/** Stands for "no version" in Java's consumers and providers. */
export const noVersion = '0.0.0';

export function isHessian(flag: number): boolean {
  const id = flag & Flag.serialization;
  return id === hessian2Id || id === nativeHessianId;
}

/** Writes the header; `frame` has room for it from 0 on. */
export function writeHeader(frame: Buffer, flag: number, status: number, id: number, idHigh: number): void {
  frame[0] = magicHigh;
  frame[1] = magicLow;
  frame[2] = flag;
  frame[3] = status;
  frame.writeUInt32BE(idHigh, 4);
  frame.writeUInt32BE(id, 8);
  frame.writeInt32BE(frame.length - headerBytes, 12);
}
