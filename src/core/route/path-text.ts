import type { HeadView } from '../base/head-view.ts';

/** The path of the request up to its query. */
export function pathWithoutQuery(head: HeadView): string {
  return splitQuery(head.path)[0];
}

/** `path` without its query and the query with its "?", or "". */
export function splitQuery(path: string): readonly [path: string, query: string] {
  const at = path.indexOf('?');
  return at < 0 ? [path, ''] : [path.slice(0, at), path.slice(at)];
}
