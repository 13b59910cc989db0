import type { HeadView } from '../../../core/base/head-view.ts';
import { type FlowKeys, hashBytes, sameBytes } from '../framed/flow-keys.ts';
import { codecOf, FrameType, fixedBytesOf, lengthsAt, Proto, readUint16 } from './layout.ts';

const methodKey = 'sofa_head_method_name';
const hessian = 1;

/**
 * Equal but for two holes: the id and the length of the content.
 *
 *   v1  0 proto, type, command, ver2 | 5 id | 9 codec, timeout, class and header length | 18 content length | 22 ...
 *   v2  one byte later from the type on, two from the timeout on
 */
export const flowKeys: FlowKeys = {
  headBytesOf(buf, start) {
    const lengths = lengthsAt(buf, start);
    const variable = readUint16(buf, lengths) + readUint16(buf, lengths + 2);
    return variable === 0 ? 0 : fixedBytesOf(buf[start] as number, FrameType.request) + variable;
  },
  hashOf(view, start, sizeBytes) {
    const isV1 = view.getUint8(start) === Proto.v1;
    return hashBytes(view, start + (isV1 ? 22 : 24), start + sizeBytes, view.getInt32(start + 10));
  },
  isSame(kept, view, start, sizeBytes) {
    if (kept.getInt32(0) !== view.getInt32(start)) return false;
    const isV1 = view.getUint8(start) === Proto.v1;
    if (isV1) {
      return (
        kept.getUint8(4) === view.getUint8(start + 4) &&
        kept.getInt32(9) === view.getInt32(start + 9) &&
        kept.getInt32(13) === view.getInt32(start + 13) &&
        kept.getUint8(17) === view.getUint8(start + 17) &&
        sameBytes(kept, view, start, 22, sizeBytes)
      );
    }
    return (
      kept.getInt16(4) === view.getInt16(start + 4) &&
      kept.getInt32(10) === view.getInt32(start + 10) &&
      kept.getInt32(14) === view.getInt32(start + 14) &&
      kept.getInt16(18) === view.getInt16(start + 18) &&
      sameBytes(kept, view, start, 24, sizeBytes)
    );
  },
  /** Peers that name the method in the content only are told apart there. */
  isWhole: (head: HeadView) => codecOf(head.buf, head.start) !== hessian || head.has(methodKey),
};
