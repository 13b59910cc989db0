import type { Random } from '../base/random.ts';
import type { HashPolicyConfig } from '../contract/config.ts';
import { PolicyState } from '../contract/policy-state.ts';
import type { HashPolicy } from '../contract/route.ts';
import type { Stream } from '../contract/stream.ts';
import { cookieValue } from './cookie-value.ts';
import { queryParameter } from './query-parameter.ts';
import { variableReader } from './variables.ts';

/** Null when there is none. */
export function compileHashPolicies(
  configs: readonly HashPolicyConfig[],
  random: Random,
): readonly HashPolicy[] | null {
  if (configs.length === 0) return null;
  return configs.map((config) => ({ key: compileKey(config, random), isTerminal: config.terminal }));
}

function compileKey(config: HashPolicyConfig, random: Random): (s: Stream) => string | null {
  const { header, cookie, query, attachment, metadata } = config;
  if (header !== undefined) {
    const lowerName = header.toLowerCase();
    return (s) => s.req.get(s.req.exactNames ? header : lowerName);
  }
  if (cookie !== undefined) return cookieKey(cookie, config, random);
  if (query !== undefined) return (s) => queryParameter(s.req.path, query);
  if (attachment !== undefined) return (s) => s.req.get(attachment);
  if (metadata !== undefined) return (s) => s.metadata.get(metadata) ?? null;
  return variableReader('clientAddress');
}

function cookieKey(name: string, config: HashPolicyConfig, random: Random): (s: Stream) => string | null {
  const { ttlMs, path = '/' } = config;
  if (ttlMs === undefined) return (s) => cookieValue(s.req, name);
  const maxAge = ttlMs === 0 ? '' : `; Max-Age=${Math.ceil(ttlMs / 1000)}`;
  const attributes = `${maxAge}; Path=${path}; HttpOnly`;
  return (s) => {
    const given = cookieValue(s.req, name);
    if (given !== null && given !== '') return given;
    // Another try of the same request stays with the cookie that the first one made.
    s.policy ??= new PolicyState();
    s.policy.cookies ??= [];
    const made = s.policy.cookies.find((each) => each.name === name);
    if (made !== undefined) return made.value;
    const value = randomText(random);
    s.policy.cookies.push({ name, value, field: `${name}=${value}${attributes}` });
    return value;
  };
}

/** 128 bits. It chooses a host, it proves nothing. */
function randomText(random: Random): string {
  let text = '';
  for (let i = 0; i < 4; i++) text += random.uint32().toString(16).padStart(8, '0');
  return text;
}
