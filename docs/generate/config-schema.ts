import { type ConversionConfig, toJsonSchema } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import type { ExtensionSet } from '../../src/core/config/extensions.ts';
import * as cluster from '../../src/core/config/schema/cluster.ts';
import * as health from '../../src/core/config/schema/cluster-health.ts';
import * as selection from '../../src/core/config/schema/cluster-selection.ts';
import * as extension from '../../src/core/config/schema/extension.ts';
import * as listener from '../../src/core/config/schema/listener.ts';
import * as mesh from '../../src/core/config/schema/mesh.ts';
import * as route from '../../src/core/config/schema/route.ts';
import * as match from '../../src/core/config/schema/route-match.ts';
import * as policies from '../../src/core/config/schema/route-policies.ts';
import * as tls from '../../src/core/config/schema/tls.ts';
import { secret } from '../../src/core/config/schema/values.ts';
import type { ConfigSchema } from '../../src/core/contract/extension.ts';
import { readDocstrings } from './docstrings.ts';
import type { Json } from './json.ts';

type AnySchema = v.BaseSchema<unknown, unknown, v.BaseIssue<unknown>>;

/** Schema objects by the interface that documents them. */
const documented: Readonly<Record<string, AnySchema>> = {
  ListenerConfig: listener.listener,
  ListenerLimits: listener.limits,
  PathNormalization: listener.normalizePath,
  AccessLogConfig: listener.accessLog,
  TracingConfig: listener.tracing,
  InProcessConfig: listener.inProcess,
  VirtualHostConfig: route.virtualHost,
  RouteConfig: route.route,
  RouteMatchConfig: match.routeMatch,
  HeaderMatchConfig: match.headerMatch,
  QueryMatchConfig: match.queryMatch,
  CookieMatchConfig: match.cookieMatch,
  VariableMatchConfig: match.variableMatch,
  MetadataMatchConfig: match.metadataMatch,
  WeightedClusterConfig: route.weightedCluster,
  RedirectConfig: route.redirect,
  DirectResponseConfig: route.directResponse,
  RewriteConfig: route.rewrite,
  RegexRewriteConfig: route.regexRewrite,
  RetryConfig: policies.retry,
  HashPolicyConfig: policies.hashPolicy,
  MirrorConfig: policies.mirror,
  HedgeConfig: policies.hedge,
  InternalRedirectConfig: policies.internalRedirect,
  HeaderOperationConfig: route.headerOperation,
  ClusterConfig: cluster.cluster,
  Endpoint: cluster.endpointObject,
  CircuitBreakersConfig: cluster.circuitBreakers,
  RetryBudgetConfig: cluster.retryBudget,
  ShardingConfig: selection.sharding,
  SubsetsConfig: selection.subsets,
  SubsetSelectorConfig: selection.subsetSelector,
  LocalityConfig: selection.locality,
  OutlierDetectionConfig: health.outlierDetection,
  SuccessRateConfig: health.successRate,
  FailurePercentageConfig: health.failurePercentage,
  RelativeErrorRateConfig: health.relativeErrorRate,
  PoolConfig: cluster.pool,
  HealthCheckConfig: health.healthCheck,
  ProxyProtocolConfig: cluster.proxyProtocol,
  ListenerTlsConfig: tls.listenerTls,
  ClusterTlsConfig: tls.clusterTls,
  TlsCertificateConfig: tls.certificate,
  SanMatcherConfig: tls.sanMatcher,
  SessionTicketsConfig: tls.sessionTickets,
  AdminConfig: mesh.admin,
  LogConfig: mesh.log,
  BuffersConfig: mesh.buffers,
  NodeConfig: mesh.node,
  LastGoodConfig: mesh.lastGood,
  LocalRegistryConfig: mesh.localRegistry,
  PublicationConfig: mesh.publication,
};
const nameOf = (type: string): string => type.replace(/Config$/, '');

/** The JSON Schema (draft 7) of a configuration file with these extensions, described by the contract's docstrings. */
export function configSchema(extensions: ExtensionSet): Json {
  const definitions = Object.fromEntries(
    Object.entries(documented).map(([type, schema]) => [nameOf(type), schema]),
  );
  const root = toJsonSchema(mesh.mesh, {
    ...conversion,
    definitions,
    overrideSchema: replaceNamed as never,
  }) as Json;
  const parts = root.$defs as Record<string, Json>;
  const docs = readDocstrings();
  for (const type of Object.keys(documented)) describe(parts[nameOf(type)] as Json, type, docs);
  describe(root, 'EffectiveConfig', docs);
  root.description = 'A configuration of Heddle. Every key may be left out.';
  Object.assign(parts, extensionParts(extensions));
  Object.assign(parts['HealthCheck'] as Json, { allOf: [reference('HealthCheckKind')] });
  return { ...root, title: 'Heddle configuration' };
}

const conversion: ConversionConfig = { typeMode: 'input', errorMode: 'ignore', target: 'draft-07' };
const reference = (name: string): Json => ({ $ref: `#/$defs/${name}` });

/** What valibot cannot know: the extensions behind a name, and secrets. */
function replaceNamed({ valibotSchema }: { valibotSchema: unknown }): Json | null {
  switch (valibotSchema) {
    case extension.codec.pipe[0]:
      return reference('Codec');
    case extension.filter.pipe[0]:
      return reference('Filter');
    case extension.networkFilter.pipe[0]:
      return reference('NetworkFilter');
    case extension.balancer.pipe[0]:
      return reference('LoadBalancer');
    case extension.secretSource.pipe[0]:
      return reference('SecretSource');
    case extension.registry.pipe[0]:
      return reference('Registry');
    case extension.discovery:
      return reference('Discovery');
    case route.filterConfigs:
      return reference('FilterConfigs');
    case secret.pipe[0]:
      return { type: 'string' };
    default:
      return null;
  }
}

function extensionParts(extensions: ExtensionSet): Record<string, Json> {
  const { codecs, filters, networkFilters, balancers, registries, healthChecks, secretSources } = extensions;
  const byFilter = filters.map((each): [string, Json] => [
    each.name,
    { anyOf: [schemaOf(each.config), { const: false }] },
  ]);
  const service: Json = { type: 'string', description: "Service name (the cluster's name)." };
  return {
    Codec: named('A protocol, by name or with its configuration.', codecs),
    Filter: named('A stream filter, by name or with its configuration.', filters),
    NetworkFilter: named('A network filter, by name or with its configuration.', networkFilters),
    LoadBalancer: named('A load balancer, by name or with its configuration.', balancers),
    Discovery: {
      description: 'A registry and the service asked of it.',
      anyOf: registries.map((each) => full(each, { service })),
    },
    Registry: named('A registry, by name or with its configuration.', registries),
    HealthCheckKind: {
      description: 'A kind of health check.',
      anyOf: healthChecks.map(({ name, config }) => ({
        properties: { name: { const: name }, config: schemaOf(config) },
        required: ['name'],
      })),
    },
    SecretSource: named('A source of certificates, by name or with its configuration.', secretSources),
    FilterConfigs: {
      description: 'Per filter name: its configuration here, or false to skip it.',
      type: 'object',
      properties: Object.fromEntries(byFilter),
    },
  };
}

type Named = { readonly name: string; readonly config: ConfigSchema };

function named(description: string, extensions: readonly Named[]): Json {
  const names: Json = { enum: extensions.map((each) => each.name) };
  return { description, anyOf: [names, ...extensions.map((each) => full(each))] };
}

function full({ name, config }: Named, more: Record<string, Json> = {}): Json {
  const properties = { name: { const: name }, ...more, config: schemaOf(config) };
  return { type: 'object', properties, required: ['name'], additionalProperties: false };
}

/** A schema of another family than valibot takes anything here; it is checked when the configuration is. */
function schemaOf(schema: ConfigSchema): Json {
  if (schema['~standard'].vendor !== 'valibot') return {};
  const { $schema: _, ...json } = toJsonSchema(schema as unknown as AnySchema, conversion) as Json;
  return json;
}

function describe(part: Json, type: string, docs: ReturnType<typeof readDocstrings>): void {
  const known = docs.get(type);
  if (known === undefined || known.text === '') throw new Error(`interface ${type} has no docstring`);
  part.description = known.text;
  for (const [key, property] of Object.entries(part.properties ?? {})) {
    const text =
      key === '$schema'
        ? 'Where an editor finds this schema; no meaning to Heddle.'
        : known.properties.get(key);
    if (text === undefined) throw new Error(`${type}.${key} has no docstring`);
    // Draft 7 ignores what stands beside a $ref.
    const { $ref, ...rest } = property;
    const described = $ref === undefined ? rest : { allOf: [{ $ref }], ...rest };
    (part.properties as Record<string, Json>)[key] = { ...described, description: text };
  }
}
