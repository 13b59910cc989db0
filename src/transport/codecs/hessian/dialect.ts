/** What follows a tag byte. */
export const Shape = {
  bad: 0,
  /** As many bytes as `extra` says. */
  fixed: 1,
  shortString: 2,
  mediumString: 3,
  stringChunk: 4,
  finalString: 5,
  shortBinary: 6,
  mediumBinary: 7,
  binaryChunk: 8,
  finalBinary: 9,
  /** [type] values end. */
  typedList: 10,
  list: 11,
  /** [type] int count, values. */
  typedFixedList: 12,
  fixedList: 13,
  /** [type] values, the count is in the tag (`extra`). */
  typedShortList: 14,
  shortList: 15,
  typedMap: 16,
  map: 17,
  classDefinition: 18,
  /** int class, fields. */
  object: 19,
  /** fields, the class is in the tag (`extra`). */
  shortObject: 20,
  reference: 21,
  reference8: 22,
  reference16: 23,
  reference32: 24,
  /** SOFA: optional type, optional length, values, end. */
  sofaList: 25,
  /** SOFA: int type, int count, values. */
  sofaTypedList: 26,
  sofaMap: 27,
  /** SOFA: int length and bytes of the name, int count, names. */
  sofaClassDefinition: 28,
} as const;

/** One wire dialect as tables: 2 ns to tell what a byte begins. */
export interface HessianDialect {
  readonly name: string;
  readonly shape: Uint8Array;
  /** Bytes behind the tag, or the count that the tag holds. */
  readonly extra: Uint8Array;
  /** Ends lists and maps of unknown length. */
  readonly endMark: number;
}

type Fill = (from: number, to: number, shape: number, extra?: (tag: number) => number) => void;

function dialect(name: string, endMark: number, define: (fill: Fill) => void): HessianDialect {
  const shape = new Uint8Array(256);
  const extra = new Uint8Array(256);
  const fill: Fill = (from, to, each, count = () => 0) => {
    for (let tag = from; tag <= to; tag++) {
      shape[tag] = each;
      extra[tag] = count(tag);
    }
  };
  // Null, true, false, int and long are the same in both.
  for (const tag of [0x4e, 0x54, 0x46]) fill(tag, tag, Shape.fixed);
  fill(0x80, 0xbf, Shape.fixed);
  fill(0xc0, 0xcf, Shape.fixed, () => 1);
  fill(0xd0, 0xd7, Shape.fixed, () => 2);
  fill(0x49, 0x49, Shape.fixed, () => 4);
  fill(0xd8, 0xef, Shape.fixed);
  fill(0xf0, 0xff, Shape.fixed, () => 1);
  fill(0x38, 0x3f, Shape.fixed, () => 2);
  fill(0x4c, 0x4c, Shape.fixed, () => 8);
  fill(0x44, 0x44, Shape.fixed, () => 8);
  fill(0x00, 0x1f, Shape.shortString);
  fill(0x53, 0x53, Shape.finalString);
  fill(0x20, 0x2f, Shape.shortBinary);
  fill(0x42, 0x42, Shape.finalBinary);
  define(fill);
  return { name, shape, extra, endMark };
}

/** Hessian 2.0 as Dubbo, Caucho 4 and hessian.js write it (hessian-serialization draft 2.0, 2007). */
export const hessian2: HessianDialect = dialect('hessian2', 0x5a, (fill) => {
  fill(0x59, 0x59, Shape.fixed, () => 4);
  fill(0x5b, 0x5c, Shape.fixed);
  fill(0x5d, 0x5d, Shape.fixed, () => 1);
  fill(0x5e, 0x5e, Shape.fixed, () => 2);
  fill(0x5f, 0x5f, Shape.fixed, () => 4);
  fill(0x4a, 0x4a, Shape.fixed, () => 8);
  fill(0x4b, 0x4b, Shape.fixed, () => 4);
  fill(0x30, 0x33, Shape.mediumString);
  fill(0x52, 0x52, Shape.stringChunk);
  fill(0x34, 0x37, Shape.mediumBinary);
  fill(0x41, 0x41, Shape.binaryChunk);
  fill(0x55, 0x55, Shape.typedList);
  fill(0x56, 0x56, Shape.typedFixedList);
  fill(0x57, 0x57, Shape.list);
  fill(0x58, 0x58, Shape.fixedList);
  fill(0x70, 0x77, Shape.typedShortList, (tag) => tag - 0x70);
  fill(0x78, 0x7f, Shape.shortList, (tag) => tag - 0x78);
  fill(0x4d, 0x4d, Shape.typedMap);
  fill(0x48, 0x48, Shape.map);
  fill(0x43, 0x43, Shape.classDefinition);
  fill(0x4f, 0x4f, Shape.object);
  fill(0x60, 0x6f, Shape.shortObject, (tag) => tag - 0x60);
  fill(0x51, 0x51, Shape.reference);
});

/** SOFA hessian 3.x, used inside Bolt: an early draft of 2.0 with other bytes for most containers. */
export const sofaHessian: HessianDialect = dialect('sofa-hessian', 0x7a, (fill) => {
  fill(0x77, 0x77, Shape.fixed, () => 4);
  fill(0x67, 0x68, Shape.fixed);
  fill(0x69, 0x69, Shape.fixed, () => 1);
  fill(0x6a, 0x6a, Shape.fixed, () => 2);
  fill(0x6b, 0x6b, Shape.fixed, () => 4);
  fill(0x64, 0x64, Shape.fixed, () => 8);
  fill(0x73, 0x73, Shape.stringChunk);
  fill(0x62, 0x62, Shape.binaryChunk);
  fill(0x56, 0x56, Shape.sofaList);
  fill(0x76, 0x76, Shape.sofaTypedList);
  fill(0x4d, 0x4d, Shape.sofaMap);
  fill(0x4f, 0x4f, Shape.sofaClassDefinition);
  fill(0x6f, 0x6f, Shape.object);
  fill(0x4a, 0x4a, Shape.reference8);
  fill(0x4b, 0x4b, Shape.reference16);
  fill(0x52, 0x52, Shape.reference32);
});
