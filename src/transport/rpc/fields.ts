import type { HeadView } from '../../core/base/head-view.ts';
import { decodeText, skipText } from '../codecs/hessian/text.ts';
import { defineField } from './to-java.ts';

/** Deeper maps of attachments are left as they are. */
const maxDepth = 4;

/** Attachments in the head, filters' edits included. */
export function fieldsOf(head: HeadView, except: ReadonlySet<string>): Record<string, string> {
  const fields: Record<string, string> = {};
  head.forEach((name, value) => {
    if (!except.has(name)) defineField(fields, textOf(name), textOf(value));
  });
  return fields;
}

/** Heads give bytes as Latin-1; on the wire they are UTF-8, or the CESU-8 of hessian. */
function textOf(value: string): string {
  for (let i = 0; i < value.length; i++) {
    if (value.charCodeAt(i) < 0x80) continue;
    const bytes = Buffer.from(value, 'latin1');
    return skipText(bytes, 0, bytes.length, utf16Units(bytes)) === bytes.length
      ? decodeText(bytes, 0, bytes.length)
      : value;
  }
  return value;
}

/** As many as hessian would count; of text that is none, any number does. */
function utf16Units(bytes: Buffer): number {
  let units = 0;
  for (const byte of bytes) if ((byte & 0xc0) !== 0x80) units += byte >= 0xf0 ? 2 : 1;
  return units;
}

/** Maps within maps as "outer.inner", the way SOFARPC writes properties into headers; what is no text becomes one. */
export function flatten(
  value: unknown,
  prefix = '',
  into: Record<string, string> = {},
  depth = 0,
): Record<string, string> {
  if (typeof value !== 'object' || value === null) return into;
  for (const [name, each] of Object.entries(value)) {
    if (each === null || each === undefined) continue;
    const key = prefix + name;
    if (typeof each !== 'object') defineField(into, key, String(each));
    else if (depth < maxDepth && !Array.isArray(each)) flatten(each, `${key}.`, into, depth + 1);
  }
  return into;
}

/** SOFARPC keeps baggage and trace in maps of their own. */
const nestedPrefixes = ['rpc_req_baggage', 'rpc_resp_baggage', 'rpc_trace_context'];

/** The other way round: "rpc_req_baggage.tenant" becomes a map `rpc_req_baggage`; null when there is nothing. */
export function nested(attachments: Readonly<Record<string, string>>): Record<string, unknown> | null {
  const props: Record<string, unknown> = {};
  let count = 0;
  for (const [name, value] of Object.entries(attachments)) {
    count++;
    const prefix = nestedPrefixes.find((each) => name.startsWith(`${each}.`));
    if (prefix === undefined) defineField(props, name, value);
    else {
      props[prefix] ??= {};
      defineField(props[prefix] as object, name.slice(prefix.length + 1), value);
    }
  }
  return count === 0 ? null : props;
}
