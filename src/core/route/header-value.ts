import { rpcMethodOf, rpcServiceOf } from '../base/grpc-head.ts';
import type { HeadView } from '../base/head-view.ts';
import { lowerByte } from '../base/header-field.ts';

/**
 * The value of a header as conditions see it: repeated fields joined by "," as Envoy does, so that a second copy of a
 * header cannot smuggle a value past a condition. Null when absent.
 */
export function headerValue(head: HeadView, lowerName: string): string | null {
  switch (lowerName) {
    case ':method':
      return head.method;
    case ':path':
      return head.path;
    case ':authority':
      return head.authority;
    case 'service':
    case ':service':
      // A name that the codec has made already, and checked to be the only one.
      if (head.service !== '' && !head.isEdited) return head.service;
      if (lowerName === ':service') return rpcServiceOf(head) || null;
      break;
    case ':rpc-method':
      return rpcMethodOf(head) || null;
  }
  const first = head.find(lowerName);
  if (first < 0) return null;
  return isRepeated(head, first, lowerName) ? head.getAll(lowerName).join(',') : head.valueAt(first);
}

function isRepeated(head: HeadView, first: number, lowerName: string): boolean {
  for (let i = first + 1; i < head.count + head.extraCount; i++) {
    const inWire = i < head.count;
    const fields = inWire ? head.fields : head.extraFields;
    const at = (inWire ? i : i - head.count) * 4;
    const from = fields[at] as number;
    if (from < 0 || (fields[at + 1] as number) - from !== lowerName.length) continue;
    if (isSameName(inWire ? head.buf : head.extra, from, lowerName, head.exactNames)) return true;
  }
  return false;
}

function isSameName(buf: Buffer, from: number, name: string, isExact: boolean): boolean {
  for (let i = 0; i < name.length; i++) {
    const byte = buf[from + i] as number;
    if ((isExact ? byte : lowerByte[byte]) !== name.charCodeAt(i)) return false;
  }
  return true;
}
