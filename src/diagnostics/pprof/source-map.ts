import { HeddleError } from '../../core/base/errors.ts';

/** A place in an original file: 1-based line and column. */
export interface OriginalPlace {
  readonly source: string;
  readonly line: number;
  readonly column: number;
  /** Original identifier at this place, where the map names one. */
  readonly name: string | undefined;
}

interface RawSourceMap {
  readonly version?: unknown;
  readonly file?: string;
  readonly sourceRoot?: string;
  readonly sources?: readonly (string | null)[];
  readonly sourcesContent?: readonly (string | null)[];
  readonly names?: readonly string[];
  readonly mappings?: string;
  readonly sections?: readonly {
    readonly offset: { readonly line: number; readonly column: number };
    readonly map: RawSourceMap;
  }[];
}

/** Five numbers a segment: generated column, source, original line, original column, name (-1 where absent). */
const stride = 5;
const digits = new Int8Array(128).fill(-1);
for (const [value, char] of [
  ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
].entries()) {
  digits[char.charCodeAt(0)] = value;
}

/** So many original lines may stand on one generated line before nobody can say which of them ran. */
const maxLinesApart = 5;

/** A decoded source map (ECMA-426), flat or of sections. Lookups are a binary search in one line. */
export class SourceMap {
  readonly #lines: Int32Array[] = [];
  readonly #sources: string[] = [];
  readonly #contents: (string | null)[] = [];
  readonly #names: string[] = [];

  /** @throws HeddleError ERR_PROFILE_INVALID when the text is no source map of version 3. */
  constructor(json: string, name: string) {
    let raw: RawSourceMap;
    try {
      raw = JSON.parse(json.startsWith(")]}'") ? json.slice(json.indexOf('\n') + 1) : json) as RawSourceMap;
    } catch (cause) {
      throw new HeddleError('ERR_PROFILE_INVALID', `source map ${name} is not JSON`, { cause });
    }
    if (raw.version !== 3) {
      throw new HeddleError('ERR_PROFILE_INVALID', `source map ${name} has version ${raw.version}, not 3`);
    }
    if (raw.sections === undefined) this.#addMap(raw, 0, 0);
    else for (const { offset, map } of raw.sections) this.#addMap(map, offset.line, offset.column);
  }

  /** The original of a generated place (1-based), or undefined where nothing maps it. */
  originalOf(line: number, column: number): OriginalPlace | undefined {
    const segments = this.#lines[line - 1];
    if (segments === undefined) return undefined;
    const at = this.#segmentAt(segments, column - 1);
    if (at === -1 || segments[at + 1] === -1) return undefined;
    const source = this.#sources[segments[at + 1] as number];
    if (source === undefined) return undefined;
    return {
      source,
      line: (segments[at + 2] as number) + 1,
      column: (segments[at + 3] as number) + 1,
      name: this.#names[segments[at + 4] as number],
    };
  }

  /** The original identifier that begins exactly at a generated place (1-based). */
  nameAt(line: number, column: number): string | undefined {
    const segments = this.#lines[line - 1];
    if (segments === undefined) return undefined;
    const at = this.#segmentAt(segments, column - 1);
    return at === -1 || segments[at] !== column - 1 ? undefined : this.#names[segments[at + 4] as number];
  }

  /** The first mapped original line of a generated line: V8's line ticks carry no column. */
  originalLineOf(line: number): OriginalPlace | undefined {
    const segments = this.#lines[line - 1];
    if (segments === undefined) return undefined;
    for (let at = 0; at < segments.length; at += stride) {
      if (segments[at + 1] !== -1) return this.originalOf(line, (segments[at] as number) + 1);
    }
    return undefined;
  }

  /**
   * The original line that a line tick means, or 0 where the generated line holds too much to say: a minified bundle
   * is one line.
   */
  tickLineOf(line: number): number {
    const segments = this.#lines[line - 1] ?? [];
    let [first, last, source] = [Number.POSITIVE_INFINITY, 0, -1];
    for (let at = 0; at < segments.length; at += stride) {
      const own = segments[at + 1] as number;
      if (own === -1) continue;
      if (source !== -1 && own !== source) return 0;
      source = own;
      first = Math.min(first, (segments[at + 2] as number) + 1);
      last = Math.max(last, (segments[at + 2] as number) + 1);
    }
    return last === 0 || last - first > maxLinesApart ? 0 : first;
  }

  /** The text of an original file, where the map carries it. */
  contentOf(source: string): string | undefined {
    return this.#contents[this.#sources.indexOf(source)] ?? undefined;
  }

  #segmentAt(segments: Int32Array, column: number): number {
    let low = 0;
    let high = segments.length / stride - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if ((segments[middle * stride] as number) <= column) low = middle + 1;
      else high = middle - 1;
    }
    return high < 0 ? -1 : high * stride;
  }

  #addMap(raw: RawSourceMap, lineOffset: number, columnOffset: number): void {
    const sourceOffset = this.#sources.length;
    const nameOffset = this.#names.length;
    const root = raw.sourceRoot ? `${raw.sourceRoot.replace(/\/$/, '')}/` : '';
    for (const [index, source] of (raw.sources ?? []).entries()) {
      this.#sources.push(source === null ? '' : root + source);
      this.#contents.push(raw.sourcesContent?.[index] ?? null);
    }
    for (const name of raw.names ?? []) this.#names.push(name);
    for (const [index, segments] of decodeMappings(raw.mappings ?? '').entries()) {
      for (let at = 0; at < segments.length; at += stride) {
        if (index === 0) segments[at] = (segments[at] as number) + columnOffset;
        if (segments[at + 1] !== -1) segments[at + 1] = (segments[at + 1] as number) + sourceOffset;
        if (segments[at + 4] !== -1) segments[at + 4] = (segments[at + 4] as number) + nameOffset;
      }
      const known = this.#lines[index + lineOffset];
      // Two sections may share a line: the later one continues it.
      const all = known === undefined ? segments : [...known, ...segments];
      this.#lines[index + lineOffset] = Int32Array.from(all);
    }
  }
}

/** Base64 VLQ: five bits a digit, bit 5 continues, bit 0 of the value is its sign. One list of numbers a line. */
function decodeMappings(mappings: string): number[][] {
  const lines: number[][] = [[]];
  const state = [0, 0, 0, 0, 0];
  let line = lines[0] as number[];
  let field = 0;
  let value = 0;
  let shift = 0;
  const endSegment = (): void => {
    if (field === 0) return;
    line.push(state[0] as number);
    if (field < 4) line.push(-1, -1, -1, -1);
    else
      line.push(
        state[1] as number,
        state[2] as number,
        state[3] as number,
        field > 4 ? (state[4] as number) : -1,
      );
    field = 0;
  };
  for (let index = 0; index < mappings.length; index++) {
    const char = mappings.charCodeAt(index);
    const digit = digits[char] ?? -1;
    if (digit >= 0) {
      value += (digit & 31) << shift;
      shift += 5;
      if ((digit & 32) !== 0) continue;
      if (field < stride)
        state[field] = (state[field] as number) + (value & 1 ? -(value >>> 1) : value >>> 1);
      field++;
      value = 0;
      shift = 0;
      continue;
    }
    endSegment();
    if (char === 0x3b /* ; */) {
      line = [];
      lines.push(line);
      state[0] = 0;
    }
  }
  endSegment();
  return lines.map(sortSegments);
}

/** Maps are almost always in order; one that is not would break the binary search. */
function sortSegments(line: number[]): number[] {
  let isSorted = true;
  for (let at = stride; at < line.length; at += stride) {
    if ((line[at] as number) < (line[at - stride] as number)) isSorted = false;
  }
  if (isSorted) return line;
  const segments: number[][] = [];
  for (let at = 0; at < line.length; at += stride) segments.push(line.slice(at, at + stride));
  return segments.sort((a, b) => (a[0] as number) - (b[0] as number)).flat();
}
