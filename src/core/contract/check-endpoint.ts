import { parseAddress } from '../base/address.ts';
import type { Endpoint } from './cluster.ts';

/**
 * Checks one endpoint of a list that a registry delivers, by hand: lists of 10,000 and more change while traffic runs,
 * and a schema would cost more than the update itself.
 * @returns the endpoint with its defaults, or a text that says what is wrong with it
 */
export function checkEndpoint(input: unknown): Endpoint | string {
  if (typeof input === 'string') {
    return isHost(input) ? { ...defaults, address: input } : `address ${JSON.stringify(input)}`;
  }
  if (typeof input !== 'object' || input === null) return `${JSON.stringify(input)} is no endpoint`;
  const {
    address,
    weight = 1,
    metadata = none,
    zone = '',
    priority = 0,
    hostname = '',
  } = input as Partial<Endpoint>;
  if (typeof address !== 'string' || !isHost(address)) return `address ${JSON.stringify(address)}`;
  if (!isWithin(weight, 1_000_000)) return `weight ${String(weight)} of ${address}`;
  if (!isWithin(priority, 127)) return `priority ${String(priority)} of ${address}`;
  if (typeof zone !== 'string' || typeof hostname !== 'string') return `zone or hostname of ${address}`;
  if (!isTexts(metadata)) return `metadata of ${address}`;
  return { address, weight, metadata, zone, priority, hostname };
}

const none: Readonly<Record<string, string>> = Object.freeze({});
const defaults: Omit<Endpoint, 'address'> = {
  weight: 1,
  metadata: none,
  zone: '',
  priority: 0,
  hostname: '',
};

function isHost(text: string): boolean {
  const parsed = parseAddress(text);
  return parsed !== null && (parsed.kind === 'unix' || parsed.port > 0);
}

function isWithin(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max;
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  for (const key of Object.keys(value)) {
    if (typeof (value as Record<string, unknown>)[key] !== 'string') return false;
  }
  return true;
}
