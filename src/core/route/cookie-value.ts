import type { HeadView } from '../base/head-view.ts';

/**
 * The first value of a request cookie, without the quotes it may stand in (RFC 6265 §4.1.1); null when absent. Several
 * Cookie fields, as HTTP/2 allows, are read in order.
 */
export function cookieValue(head: HeadView, name: string): string | null {
  for (let index = head.find('cookie'); index >= 0; index = head.findNext('cookie', index + 1)) {
    const value = valueIn(head.valueAt(index), name);
    if (value !== null) return value;
  }
  return null;
}

function valueIn(field: string, name: string): string | null {
  for (let at = 0; at < field.length; ) {
    const semicolon = field.indexOf(';', at);
    const end = semicolon < 0 ? field.length : semicolon;
    while (at < end && field[at] === ' ') at++;
    if (field.startsWith(name, at) && field[at + name.length] === '=') {
      const value = field.slice(at + name.length + 1, end).trimEnd();
      return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
    }
    at = end + 1;
  }
  return null;
}
