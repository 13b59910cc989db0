import { readFile } from 'node:fs/promises';
import { join, normalize, sep } from 'node:path';

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  json: 'application/json',
  wasm: 'application/wasm',
  woff2: 'font/woff2',
  png: 'image/png',
  ico: 'image/x-icon',
  txt: 'text/plain; charset=utf-8',
  md: 'text/plain; charset=utf-8',
};

export function contentTypeOf(name: string): string {
  return types[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
}

/** A file, or one below a directory; a path that leaves the directory is not found. */
export async function readStatic(root: string, name?: string): Promise<Uint8Array | undefined> {
  const path = name === undefined ? root : normalize(join(root, name));
  if (name !== undefined && !path.startsWith(root + sep)) return undefined;
  return readFile(path).catch(() => undefined);
}
