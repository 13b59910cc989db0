import { createHash } from 'node:crypto';
import type { ApplicationMetadata, ServiceMetadata } from '../../contract/service-source.ts';

/** Real ones: 400 bytes a service. */
const maxLength = 32 * 1024 * 1024;
const maxServices = 50_000;
/** Revision of an application that provides nothing. */
export const noServices = '0';

/**
 * Reads Dubbo's MetadataInfo in JSON, of a metadata centre or a metadata service.
 * @returns a text that says what is wrong with it
 */
export function parseMetadataInfo(text: string): ApplicationMetadata | string {
  if (text.length > maxLength) return `metadata of ${text.length} characters`;
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return 'metadata is not JSON';
  }
  if (!isRecord(document)) return 'metadata is not an object';
  const given = document['services'] ?? {};
  if (!isRecord(given)) return 'metadata: services is not an object';
  const entries = Object.entries(given);
  if (entries.length > maxServices) return `metadata has more than ${maxServices} services`;
  const services = new Map<string, ServiceMetadata>();
  for (const [key, each] of entries) {
    const service = isRecord(each) ? readService(each) : null;
    if (service === null) return `metadata: service ${JSON.stringify(key.slice(0, 100))} has no name`;
    services.set(key, service);
  }
  return { application: textOf(document['app']), revision: textOf(document['revision']), services };
}

export function formatMetadataInfo({ application, revision, services }: ApplicationMetadata): string {
  const entries = [...services].map(([key, { parameters, ...service }]) => [
    key,
    { ...service, params: parameters },
  ]);
  return JSON.stringify({ app: application, revision, services: Object.fromEntries(entries) });
}

/** `[group/]interface[:version][:protocol]`: the key of a service within a revision. */
export function matchKeyOf({ group, name, version, protocol }: Omit<ServiceMetadata, 'parameters'>): string {
  return `${group === '' ? '' : `${group}/`}${name}${version === '' ? '' : `:${version}`}${
    protocol === '' ? '' : `:${protocol}`
  }`;
}

/**
 * Names what an application provides, as Dubbo's MetadataInfo.calAndGetRevision does: "0" for nothing, otherwise the MD5 of
 * the name and every service with its parameters. Others hash otherwise: a revision that was read is an opaque text.
 */
export function revisionOf(application: string, services: ReadonlyMap<string, ServiceMetadata>): string {
  if (services.size === 0) return noServices;
  const parts = [...services].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(describe);
  return createHash('md5')
    .update(`${application}${parts.join('')}`)
    .digest('hex');
}

/** As Java prints a TreeMap: "{a=1, b=2}". */
function describe([key, { port, path, parameters }]: [string, ServiceMetadata]): string {
  const sorted = Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `${key}${port}${path}{${sorted.map(([name, value]) => `${name}=${value}`).join(', ')}}`;
}

function readService(given: Readonly<Record<string, unknown>>): ServiceMetadata | null {
  const name = textOf(given['name']);
  if (name === '') return null;
  const port = Number(given['port'] ?? 0);
  const parameters = isRecord(given['params']) ? given['params'] : {};
  return {
    name,
    group: textOf(given['group']),
    version: textOf(given['version']),
    protocol: textOf(given['protocol']),
    port: Number.isInteger(port) && port > 0 && port <= 65535 ? port : 0,
    path: textOf(given['path']),
    parameters: textsOf(parameters),
  };
}

/** Only what is a text; numbers and booleans become one. */
export function textsOf(given: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const texts: [string, string][] = [];
  for (const [key, value] of Object.entries(given)) {
    if (typeof value === 'string') texts.push([key, value]);
    else if (typeof value === 'number' || typeof value === 'boolean') texts.push([key, String(value)]);
  }
  return Object.fromEntries(texts);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
