import * as v from 'valibot';
import { messageOf } from '../base/errors.ts';
import { loadYaml } from '../base/yaml.ts';
import type { Endpoint } from '../contract/cluster.ts';
import { endpointSchema } from './endpoint-schema.ts';

/** Bytes of a service file that are read; characters in fact, which are never more. */
const maxLength = 64 * 1024 * 1024;
const maxEndpointsPerFile = 1_000_000;
const maxProblems = 5;

export type ServiceFile =
  | { readonly services: ReadonlyMap<string, readonly Endpoint[]>; readonly problem?: undefined }
  /** Why the whole text is refused: where and what, one sentence. */
  | { readonly problem: string };

/**
 * Reads a service list in YAML or JSON:
 *
 *   services:
 *     users: ["10.0.0.1:80", { address: "10.0.0.2:80", weight: 2, zone: eu-1, metadata: { version: "2" } }]
 *
 * The key `services` may be left out. A file with one bad entry is refused whole: half a list is not what was meant.
 */
export function parseServiceFile(text: string): ServiceFile {
  if (text.length > maxLength) return { problem: `it is larger than ${maxLength / 1024 / 1024} MiB` };
  let document: unknown;
  try {
    document = /^\s*\{/.test(text) ? parseJsonOrYaml(text) : parseYaml(text);
  } catch (thrown) {
    return { problem: messageOf(thrown).split('\n', 1)[0] as string };
  }
  const root = new Map(entriesOf(document) ?? []);
  const entries = entriesOf(root.has('services') ? root.get('services') : document);
  if (entries === null) return { problem: 'it must map service names to lists of endpoints' };
  return readServices(entries);
}

function readServices(entries: readonly [string, unknown][]): ServiceFile {
  const services = new Map<string, readonly Endpoint[]>();
  const problems: string[] = [];
  let total = 0;
  for (const [service, given] of entries) {
    if (!Array.isArray(given)) {
      problems.push(`services.${service} must be a list of endpoints`);
      continue;
    }
    total += given.length;
    if (total > maxEndpointsPerFile) return { problem: `it has more than ${maxEndpointsPerFile} endpoints` };
    services.set(service, readEndpoints(service, given, problems));
  }
  if (problems.length === 0) return { services };
  const more = problems.length - maxProblems;
  return { problem: problems.slice(0, maxProblems).join('; ') + (more > 0 ? `; and ${more} more` : '') };
}

function readEndpoints(service: string, given: readonly unknown[], problems: string[]): Endpoint[] {
  const endpoints: Endpoint[] = [];
  for (const [index, each] of given.entries()) {
    const result = v.safeParse(endpointSchema, plain(each));
    if (result.success) endpoints.push(result.output);
    else problems.push(`services.${service}[${index}] ${issueText(result.issues[0])}`);
  }
  return endpoints;
}

function issueText(issue: v.BaseIssue<unknown>): string {
  const inner = issue.issues?.find((each) => each.path !== undefined) ?? issue;
  const path = v.getDotPath(inner);
  return path === null ? inner.message : `${path}: ${inner.message}`;
}

/** JSON is ten times as fast to read; text that only looks like it is read as YAML. */
function parseJsonOrYaml(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return parseYaml(text);
  }
}

/** Maps, not objects: no key can reach a prototype. The alias limit stops bombs. */
function parseYaml(text: string): unknown {
  return loadYaml().parse(text, { mapAsMap: true, maxAliasCount: 100, logLevel: 'error' });
}

function entriesOf(value: unknown): [string, unknown][] | null {
  if (value instanceof Map) return [...value].map(([key, each]) => [String(key), each]);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return Object.entries(value);
}

/** Maps of the YAML reader as plain objects for the schema, `__proto__` left out. */
function plain(value: unknown): unknown {
  if (!(value instanceof Map)) return value;
  const entries = [...value].filter(([key]) => key !== '__proto__').map(([key, each]) => [key, plain(each)]);
  return Object.fromEntries(entries);
}
