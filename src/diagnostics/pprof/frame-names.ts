import type { ProfileFrame } from '../profile-model.ts';

export const anonymous = '(anonymous)';

/** The name as a reader sees it: an anonymous function is told by its place, so that two do not become one. */
export function displayName(frame: ProfileFrame): string {
  if (frame.name !== anonymous && frame.name !== '') return frame.name;
  if (frame.url === '') return anonymous;
  const base = frame.url.slice(frame.url.lastIndexOf('/') + 1);
  // V8 places the top level of a module or script at its first character, or nowhere.
  if (frame.line <= 1 && frame.column <= 1) return `(module ${base})`;
  return `(anonymous ${base}:${frame.line})`;
}

/** `file:///a%20b.js` becomes `/a b.js`; other names stay as they are. */
export function pathOf(url: string): string {
  if (!url.startsWith('file://')) return url;
  const path = url.slice('file://'.length);
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** `name (file:line)` for lists; the name alone where there is no file. */
export function describeFrame(frame: ProfileFrame): string {
  if (frame.url === '') return displayName(frame);
  return `${displayName(frame)} (${placeOf(frame)})`;
}

/** `/path/file.ts:12`, without a line where none is known; empty for what has no file. */
export function placeOf({ url, line }: ProfileFrame): string {
  return url === '' || line === 0 ? pathOf(url) : `${pathOf(url)}:${line}`;
}
