import { latin1 } from '../../../core/base/latin1.ts';
import { hessian2 } from '../hessian/dialect.ts';
import { HessianProblem } from '../hessian/problems.ts';
import { HessianText, intBytes, locateString, readInt } from '../hessian/read.ts';
import { countParameters } from './descriptor.ts';

/** "$invoke" and "$invokeAsync": the method's name is the first argument. */
const genericCall = Buffer.from('$invoke');

/**
 * The words of a request with Hessian 2.0, as offsets (apache/dubbo DecodeableRpcInvocation):
 *
 *   dubbo version | path | version or null | method | [-1, DUBBOX] descriptor | arguments | attachments or null
 */
export class DubboWords {
  readonly dubboVersion = new HessianText();
  readonly path = new HessianText();
  readonly version = new HessianText();
  /** Of a generic call the method that is really called. */
  readonly method = new HessianText();
  readonly descriptor = new HessianText();
  /** Offsets of the path's and the version's tags: what an encoder replaces stands from there to the text's end. */
  pathTag = 0;
  versionTag = 0;
  methodTag = 0;
  /** The first argument. */
  argumentsStart = 0;
  parameters = 0;

  /** Reads the words from `at` on. @returns 0, or a HessianProblem */
  read(buf: Buffer, at: number, end: number): number {
    this.pathTag = word(buf, at, end, this.dubboVersion);
    this.versionTag = word(buf, this.pathTag, end, this.path);
    this.methodTag = locateString(hessian2, buf, this.versionTag, end, this.version);
    at = word(buf, this.methodTag, end, this.method);
    if (at < 0) return at;
    if (readInt(buf, at, end) === -1) at += intBytes(buf[at] as number);
    at = word(buf, at, end, this.descriptor);
    if (at < 0) return at;
    this.argumentsStart = at;
    this.parameters = countParameters(buf, this.descriptor.start, this.descriptor.end);
    if (this.parameters < 0 || this.version.isChunked) return HessianProblem.badText;
    return this.#isGeneric(buf) ? genericMethod(buf, at, end, this.method) : 0;
  }

  #isGeneric(buf: Buffer): boolean {
    const { start, end } = this.method;
    if (this.parameters !== 3 || (end - start !== 7 && end - start !== 12)) return false;
    for (let i = 0; i < 7; i++) if (buf[start + i] !== genericCall[i]) return false;
    return end - start === 7 || latin1(buf, start + 7, end) === 'Async';
  }
}

/** One string that is neither null nor in chunks: nothing that names something is 32,768 characters long. */
function word(buf: Buffer, at: number, end: number, out: HessianText): number {
  if (at < 0) return at;
  const next = locateString(hessian2, buf, at, end, out);
  return out.isNull || (next >= 0 && out.isChunked) ? HessianProblem.badText : next;
}

function genericMethod(buf: Buffer, at: number, end: number, out: HessianText): number {
  const { start, end: textEnd } = out;
  const next = locateString(hessian2, buf, at, end, out);
  if (next >= 0 && !out.isNull && !out.isChunked) return 0;
  // Not a name after all: the word counts.
  out.start = start;
  out.end = textEnd;
  out.isNull = out.isChunked = false;
  return 0;
}
