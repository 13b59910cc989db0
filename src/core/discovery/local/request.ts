import { HeddleError } from '../../base/errors.ts';
import { checkEndpoint } from '../../contract/check-endpoint.ts';
import type { Publication } from '../../contract/registry.ts';

/** What one request may say: names and metadata come from strangers. */
const requestLimits = {
  serviceNameLength: 512,
  metadataKeys: 64,
  /** Characters of all keys and values together. */
  metadataLength: 16_384,
  /** One day: a lease that long is none. */
  ttlMs: 86_400_000,
  /** A longer poll meets the idle limits of proxies and clients. */
  waitMs: 60_000,
} as const;

export interface PublishRequest {
  readonly publication: Publication;
  /** Withdrawn when it is not said again within this time; 0 = stays until it is withdrawn. */
  readonly ttlMs: number;
  /** How long the answer may wait for the registries. */
  readonly waitMs: number;
}

export interface UnpublishRequest {
  readonly service: string;
  readonly address: string;
  readonly waitMs: number;
}

export interface SubscribeRequest {
  readonly service: string;
  /** What the caller has; null: nothing yet. */
  readonly version: string | null;
  readonly waitMs: number;
}

type Fields = Readonly<Record<string, unknown>>;

const endpointKeys = ['address', 'weight', 'metadata', 'zone', 'priority', 'hostname'];
const usualWaitMs = 1000;

/** @throws HeddleError ERR_REGISTRY_REQUEST */
export function parsePublish(body: string): PublishRequest {
  const fields = fieldsOf(body, ['service', ...endpointKeys, 'protocol', 'ttlMs', 'waitMs']);
  const { service: _service, protocol, ttlMs, waitMs, ...facts } = fields;
  const endpoint = checkEndpoint(facts);
  if (typeof endpoint === 'string') throw refused(`${endpoint} cannot be used`);
  checkMetadata(endpoint.metadata);
  const texts = { zone: endpoint.zone, hostname: endpoint.hostname, protocol: protocol ?? '' };
  for (const [key, value] of Object.entries(texts)) {
    if (typeof value !== 'string' || !isName(value, 0, 200))
      throw refused(`${key} ${shown(value)} is no name`);
  }
  return {
    publication: { service: serviceOf(fields), endpoint, protocol: texts.protocol as string },
    ttlMs: millisecondsOf(ttlMs, 'ttlMs', 0, requestLimits.ttlMs),
    waitMs: millisecondsOf(waitMs, 'waitMs', usualWaitMs, requestLimits.waitMs),
  };
}

/** @throws HeddleError ERR_REGISTRY_REQUEST */
export function parseUnpublish(body: string): UnpublishRequest {
  const fields = fieldsOf(body, ['service', 'address', 'waitMs']);
  const { address } = fields;
  if (typeof address !== 'string' || address === '') throw refused('address is missing');
  return { service: serviceOf(fields), address, waitMs: waitOf(fields) };
}

/** @throws HeddleError ERR_REGISTRY_REQUEST */
export function parseSubscribe(body: string): SubscribeRequest {
  const fields = fieldsOf(body, ['service', 'version', 'waitMs']);
  const version = fields['version'] ?? null;
  if (version !== null && typeof version !== 'string')
    throw refused(`version ${shown(version)} is not one that an answer gave`);
  return { service: serviceOf(fields), version, waitMs: waitOf(fields) };
}

/** @throws HeddleError ERR_REGISTRY_REQUEST */
export function parseUnsubscribe(body: string): { readonly service: string } {
  return { service: serviceOf(fieldsOf(body, ['service'])) };
}

function fieldsOf(body: string, known: readonly string[]): Fields {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw refused('the body is no JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refused('the body must be a JSON object');
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) throw refused(`key ${shown(key)} is unknown; the keys are ${known.join(', ')}`);
  }
  return value as Fields;
}

function serviceOf(fields: Fields): string {
  const { service } = fields;
  if (typeof service !== 'string' || service === '') throw refused('service is missing');
  if (!isName(service, 1, requestLimits.serviceNameLength)) {
    const { serviceNameLength } = requestLimits;
    throw refused(
      `service ${shown(service)} is no name of 1 to ${serviceNameLength} characters without blanks`,
    );
  }
  return service;
}

/** Registries write names into paths and lines: no blanks and no control characters. */
function isName(text: string, min: number, max: number): boolean {
  return text.length >= min && text.length <= max && !/[\s\p{Cc}]/u.test(text);
}

function checkMetadata(metadata: Readonly<Record<string, string>>): void {
  const { metadataKeys, metadataLength } = requestLimits;
  const entries = Object.entries(metadata);
  const length = entries.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (entries.length > metadataKeys || length > metadataLength) {
    throw refused(`metadata has more than ${metadataKeys} keys or ${metadataLength} characters`);
  }
}

const waitOf = (fields: Fields): number =>
  millisecondsOf(fields['waitMs'], 'waitMs', usualWaitMs, requestLimits.waitMs);

function millisecondsOf(value: unknown, key: string, byDefault: number, max: number): number {
  if (value === undefined) return byDefault;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw refused(`${key} ${shown(value)} is no whole number of milliseconds from 0 to ${max}`);
}

/** A stranger's value in a message, not all of it. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}

const refused = (detail: string): HeddleError => new HeddleError('ERR_REGISTRY_REQUEST', detail);
