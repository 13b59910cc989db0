/** Tags of SOFA's hessian 3 and of Hessian 2.0: class definition, instance. */
const sofaClass = 0x4f;
const sofaInstance = 0x6f;
const class2 = 0x43;
const firstInstance2 = 0x60;
const firstRef = 0x90;
/** Strings up to this many characters have their length in one byte. */
const maxShort = 31;
const maxFields = 32;

/**
 * A SofaRequest is written as its class definition, then the instance, whose first field is `methodName`:
 *
 *    'O' int length, name, int count, names...    'o' ref    string        SOFA's dialect
 *    'C' string name,      int count, names...    0x60       string        Hessian 2.0
 *
 * @returns where the method's length byte stands, its name behind it; -1 when the body begins otherwise
 */
export function methodInBody(buf: Buffer, start: number, end: number): number {
  const isSofa = buf[start] === sofaClass;
  if (!isSofa && buf[start] !== class2) return -1;
  let at = skipClassName(buf, start + 1, end, isSofa);
  if (at < 0 || at >= end) return -1;
  const fields = (buf[at++] as number) - firstRef;
  if (fields < 1 || fields > maxFields) return -1;
  for (let i = 0; i < fields; i++) {
    if (at >= end || (buf[at] as number) > maxShort) return -1;
    at += 1 + (buf[at] as number);
  }
  if (isSofa) {
    if (at + 1 >= end || buf[at] !== sofaInstance || buf[at + 1] !== firstRef) return -1;
    at += 2;
  } else {
    if (at >= end || buf[at] !== firstInstance2) return -1;
    at++;
  }
  if (at >= end) return -1;
  const size = buf[at] as number;
  return size > 0 && size <= maxShort && at + 1 + size <= end ? at : -1;
}

/** The offset behind the name; -1 when there is none. */
function skipClassName(buf: Buffer, at: number, end: number, isSofa: boolean): number {
  if (at + 1 >= end) return -1;
  const tag = buf[at] as number;
  if (isSofa) {
    // An int: one byte up to 47, two up to 2047.
    if (tag >= 0x80 && tag <= 0xbf) return at + 1 + tag - firstRef;
    return tag >= 0xc8 && tag <= 0xcf ? at + 2 + ((tag - 0xc8) << 8) + (buf[at + 1] as number) : -1;
  }
  if (tag <= maxShort) return at + 1 + tag;
  return tag >= 0x30 && tag <= 0x33 ? at + 2 + ((tag - 0x30) << 8) + (buf[at + 1] as number) : -1;
}
