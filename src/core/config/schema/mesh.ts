import * as v from 'valibot';
import { Secret } from '../../base/secret.ts';
import { cluster } from './cluster.ts';
import { fields } from './combine.ts';
import { registry } from './extension.ts';
import { ingress, inProcess, listener } from './listener.ts';
import { address, hostAddress, integer, name, secret, sizeBytes } from './values.ts';

export const admin = fields({ address, token: v.optional(secret) });
export const log = fields({
  level: v.optional(v.picklist(['debug', 'info', 'warn', 'error', 'off']), 'info'),
});
export const buffers = fields({ limitBytes: v.optional(sizeBytes, 268_435_456) });
export const node = fields({ id: v.optional(name), zone: v.optional(v.string(), '') });
const directoryPath = v.pipe(
  v.string(),
  v.regex(/^(\/.*|[A-Za-z]:[\\/].*)$/, 'an absolute path of a directory'),
);
export const lastGood = fields({
  directory: directoryPath,
});
export const localRegistry = fields({
  registries: v.optional(v.array(registry)),
  stateDirectory: v.optional(directoryPath),
  maxPublications: v.optional(integer(1, 100_000), 1000),
  maxSubscriptions: v.optional(integer(1, 100_000), 1000),
});

export const publication = fields({
  registry,
  service: name,
  address: hostAddress,
  protocol: v.optional(name),
  weight: v.optional(integer(0, 1_000_000), 1),
  metadata: v.optional(v.record(v.string(), v.string()), {}),
  zone: v.optional(v.string()),
});

/** Keys of the monitor's settings whose texts are secrets: tokens of sinks, and all of their headers. */
const monitorSecret = /token|password|secret/i;

function hideSecrets(value: unknown, isSecret = false): unknown {
  if (typeof value === 'string') return isSecret ? new Secret(value) : value;
  if (Array.isArray(value)) return value.map((item) => hideSecrets(item, isSecret));
  if (typeof value !== 'object' || value === null || value instanceof Secret) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(
    entries.map(([key, item]) => [
      key,
      hideSecrets(item, isSecret || key === 'headers' || monitorSecret.test(key)),
    ]),
  );
}

/** Settings of the monitor: what they may be is the monitor's to say (`CheckOptions.checkMonitor`). */
const monitor = v.pipe(
  v.record(v.string(), v.unknown()),
  v.transform((settings) => hideSecrets(settings) as Record<string, unknown>),
);

/** The whole configuration, without what references and extensions add (check.ts). */
export const mesh = fields({
  /** Lets an editor find the JSON Schema; no meaning here. */
  $schema: v.optional(v.string()),
  mode: v.optional(v.picklist(['inProcess', 'worker'])),
  listeners: v.optional(v.array(listener), []),
  clusters: v.optional(v.array(cluster), []),
  inProcess: v.optional(inProcess, {}),
  ingress: v.optional(ingress),
  admin: v.optional(admin),
  monitor: v.optional(monitor),
  log: v.optional(log, {}),
  buffers: v.optional(buffers, {}),
  node: v.optional(node, {}),
  lastGood: v.optional(lastGood),
  localRegistry: v.optional(localRegistry, {}),
  publications: v.optional(v.array(publication), []),
});
