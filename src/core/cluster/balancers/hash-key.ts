import * as v from 'valibot';
import { hashText } from '../../../sharding/index.ts';
import type { Random } from '../../base/random.ts';
import type { HashPolicy } from '../../contract/route.ts';
import type { Stream } from '../../contract/stream.ts';

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(200));

/** What of a request decides its host. The first that is there counts; without any the choice is random. */
export const hashKeys = v.optional(
  v.array(
    v.union([
      v.strictObject({ header: v.pipe(name, v.toLowerCase()) }),
      v.strictObject({ cookie: name }),
      v.strictObject({ query: name }),
      v.strictObject({ metadata: name }),
      v.picklist(['source', 'path', 'authority']),
    ]),
  ),
  ['source'],
);
export type HashKey = v.InferOutput<typeof hashKeys>[number];

/** A function from a stream to 32 bits. The policies of its route go before the balancer's own keys. */
export function hashOf(keys: readonly HashKey[], random: Random): (s: Stream | null) => number {
  return (s) => {
    if (s !== null) {
      const policies = s.route?.hashPolicies ?? null;
      if (policies !== null) return hashByPolicies(policies, s, random);
      for (let i = 0; i < keys.length; i++) {
        const text = textOf(s, keys[i] as HashKey);
        if (text !== null && text !== '') return hashText(text);
      }
    }
    return random.uint32();
  };
}

/** Envoy's way: each value is mixed in, a terminal one ends it; without any the choice is random. */
function hashByPolicies(policies: readonly HashPolicy[], s: Stream, random: Random): number {
  let hash = 0;
  let isFound = false;
  for (const policy of policies) {
    const text = policy.key(s);
    if (text === null || text === '') continue;
    hash = (((hash << 1) | (hash >>> 31)) ^ hashText(text)) >>> 0;
    isFound = true;
    if (policy.isTerminal) break;
  }
  return isFound ? hash : random.uint32();
}

function textOf(s: Stream, key: HashKey): string | null {
  if (key === 'source') return s.peer?.address ?? null;
  if (key === 'authority') return s.req.authority;
  if (key === 'path') return pathOnly(s.req.path);
  if ('header' in key) return s.req.get(key.header);
  if ('metadata' in key) return s.metadata?.get(key.metadata) ?? null;
  if ('cookie' in key) return fieldOf(s.req.get('cookie'), key.cookie, ';');
  const path = s.req.path;
  const at = path.indexOf('?');
  return at < 0 ? null : fieldOf(path.slice(at + 1), key.query, '&');
}

function pathOnly(path: string): string {
  const at = path.indexOf('?');
  return at < 0 ? path : path.slice(0, at);
}

/** The value of `name=value` in a list. */
function fieldOf(text: string | null, name: string, separator: string): string | null {
  if (text === null) return null;
  for (const part of text.split(separator)) {
    const field = part.trimStart();
    if (field.startsWith(name) && field[name.length] === '=') return field.slice(name.length + 1);
  }
  return null;
}
