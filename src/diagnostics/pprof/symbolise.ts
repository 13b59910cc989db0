import { open, readFile, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Profile, ProfileFrame } from '../profile-model.ts';
import { anonymous } from './frame-names.ts';
import { mapFrames } from './profile-builder.ts';
import { type OriginalPlace, SourceMap } from './source-map.ts';

export interface SymboliseOptions {
  /** Source maps above this size are left out and the generated names kept. @default 67108864 */
  readonly maxMapBytes?: number;
  /** Files read at most for one profile. @default 500 */
  readonly maxFiles?: number;
}

/** A map whose `sources` are relative to `base`. */
interface LoadedMap {
  readonly map: SourceMap;
  readonly base: string;
}

const tailBytes = 4096;
const comment = /[#@] ?sourceMappingURL=([^\s'"]+)\s*(?:\*\/\s*)?$/;

/**
 * Replaces generated places by those of the original source (TypeScript, bundles), from the source maps that lie
 * beside the files on disk or inside them. Frames without a map stay as they are; nothing is fetched from a network.
 */
export async function symbolise(profile: Profile, options: SymboliseOptions = {}): Promise<Profile> {
  const urls = [...new Set(profile.frames.map((frame) => frame.url))].filter(isOnDisk);
  const maps = new Map<string, LoadedMap>();
  for (const url of urls.slice(0, options.maxFiles ?? 500)) {
    const loaded = await loadMap(url, options.maxMapBytes ?? 64 * 1024 * 1024).catch(() => undefined);
    if (loaded !== undefined) maps.set(url, loaded);
  }
  if (maps.size === 0) return profile;
  return mapFrames(
    profile,
    (frame) => originalFrame(frame, maps.get(frame.url)),
    (frame, line) => maps.get(frame.url)?.map.tickLineOf(line) ?? line,
  );
}

function isOnDisk(url: string): boolean {
  return url.startsWith('file://') || isAbsolute(url);
}

function originalFrame(frame: ProfileFrame, loaded: LoadedMap | undefined): ProfileFrame {
  if (loaded === undefined || frame.line === 0) return frame;
  const { map, base } = loaded;
  const place = map.originalOf(frame.line, frame.column) ?? map.originalLineOf(frame.line);
  if (place === undefined) return frame;
  const name = originalName(frame, map, place);
  return { name, url: resolveSource(place.source, base), line: place.line, column: place.column };
}

/**
 * V8 places a function at its parameter list. The identifier before it is the map's best witness; then what the
 * original text says before that place (`const load = async (`, `private async load(`); then the generated name.
 */
function originalName(frame: ProfileFrame, map: SourceMap, place: OriginalPlace): string {
  const simple = frame.name.slice(frame.name.lastIndexOf('.') + 1);
  if (frame.name !== anonymous) {
    const named = map.nameAt(frame.line, frame.column - simple.length);
    if (named !== undefined) return named;
  }
  const text = map.contentOf(place.source)?.split('\n')[place.line - 1];
  const before = text?.slice(0, place.column - 1) ?? '';
  const found = nameBefore(before);
  // A name that V8 took from unminified code may say more (`Cache.load`) than the text does (`load`).
  if (found === undefined || found === simple) return frame.name;
  return found;
}

const nameBefore = (before: string): string | undefined =>
  /(?:^|[^\w$.])(?!(?:if|for|while|switch|catch|return|function|async)\b)#?([A-Za-z_$][\w$]*)\s*(?:<[^<>]*>)?\s*(?:(?:=|:)\s*(?:async\s*)?(?:function\s*\*?\s*)?(?:<[^<>]*>)?\s*)?$/.exec(
    before,
  )?.[1];

function resolveSource(source: string, base: string): string {
  if (/^[a-z][a-z0-9+.-]+:/i.test(source) && !source.startsWith('file:')) return source;
  try {
    return new URL(source, base).href;
  } catch {
    return source;
  }
}

async function loadMap(url: string, maxMapBytes: number): Promise<LoadedMap | undefined> {
  const path = url.startsWith('file://') ? fileURLToPath(url) : url;
  const base = pathToFileURL(path).href;
  const reference = await mappingUrlOf(path, maxMapBytes);
  if (reference?.startsWith('data:') === true) {
    return { map: new SourceMap(decodeDataUrl(reference), url), base };
  }
  const mapUrl = new URL(reference ?? `${base}.map`, base);
  if (mapUrl.protocol !== 'file:') return undefined;
  const { size } = await stat(mapUrl);
  if (size > maxMapBytes) return undefined;
  return { map: new SourceMap(await readFile(mapUrl, 'utf8'), mapUrl.href), base: mapUrl.href };
}

/** The comment stands in the last line; an inline map makes that line long, so the whole file is read only then. */
async function mappingUrlOf(path: string, maxBytes: number): Promise<string | undefined> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, tailBytes);
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    const tail = buffer.toString('utf8').trimEnd();
    const lastLine = tail.slice(tail.lastIndexOf('\n') + 1);
    const isCut = lastLine.length === tail.length && size > tailBytes;
    if (!isCut) return comment.exec(lastLine)?.[1];
    if (size > maxBytes) return undefined;
    const all = (await readFile(path, 'utf8')).trimEnd();
    return comment.exec(all.slice(all.lastIndexOf('\n') + 1))?.[1];
  } finally {
    await handle.close();
  }
}

function decodeDataUrl(url: string): string {
  const comma = url.indexOf(',');
  const body = url.slice(comma + 1);
  const isBase64 = url.slice(0, comma).endsWith(';base64');
  return isBase64 ? Buffer.from(body, 'base64').toString('utf8') : decodeURIComponent(body);
}
