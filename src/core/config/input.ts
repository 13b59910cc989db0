import type { Endpoint } from '../contract/cluster.ts';
import type {
  AccessLogConfig,
  AdminConfig,
  BuffersConfig,
  CircuitBreakersConfig,
  ClusterConfig,
  ClusterTlsConfig,
  CookieMatchConfig,
  DirectResponseConfig,
  DiscoveryConfig,
  EffectiveConfig,
  FailurePercentageConfig,
  HashPolicyConfig,
  HeaderEditsConfig,
  HeaderMatchConfig,
  HeaderOperationConfig,
  HealthCheckConfig,
  HedgeConfig,
  IngressConfig,
  InProcessConfig,
  InternalRedirectConfig,
  ListenerConfig,
  ListenerLimits,
  ListenerTlsConfig,
  LocalityConfig,
  LocalRegistryConfig,
  LogConfig,
  MetadataMatchConfig,
  MirrorConfig,
  NodeConfig,
  OutlierDetectionConfig,
  PoolConfig,
  ProxyProtocolConfig,
  PublicationConfig,
  QueryMatchConfig,
  RedirectConfig,
  RelativeErrorRateConfig,
  RetryBudgetConfig,
  RetryConfig,
  RouteConfig,
  RouteMatchConfig,
  SanMatcherConfig,
  SessionTicketsConfig,
  ShardingConfig,
  SubsetsConfig,
  SuccessRateConfig,
  TracingConfig,
  VariableMatchConfig,
  VirtualHostConfig,
  WeightedClusterConfig,
} from '../contract/config.ts';
import type { ExtensionConfig } from '../contract/extension.ts';
import type { PathNormalization } from '../contract/pipeline.ts';

/**
 * What a user writes: the effective configuration with everything that has a default left out where wanted, and
 * names or addresses alone in place of objects. Units and defaults stand at each property.
 */
export interface MeshConfig
  extends Replace<
    EffectiveConfig,
    {
      /** Where an editor finds the JSON Schema; no meaning here. */
      $schema: string;
      listeners: readonly ListenerInput[];
      clusters: readonly ClusterInput[];
      inProcess: InProcessInput;
      ingress: IngressInput;
      admin: Replace<AdminConfig, { token: string | NonNullable<AdminConfig['token']> }, 'address'>;
      log: Optional<LogConfig>;
      buffers: Optional<BuffersConfig>;
      node: Optional<NodeConfig>;
      localRegistry: Replace<LocalRegistryConfig, { registries: readonly Named[] }>;
      publications: readonly Replace<
        PublicationConfig,
        { registry: Named },
        'registry' | 'service' | 'address'
      >[];
    }
  > {}

export interface ListenerInput
  extends Replace<
    ListenerConfig,
    PipelineParts & {
      codec: Named;
      networkFilters: readonly Named[];
      limits: Optional<ListenerLimits>;
      tls: Replace<ListenerTlsConfig, TlsInput & { sessionTickets: Optional<SessionTicketsConfig> }>;
    },
    'name' | 'address'
  > {}
interface IngressInput extends Replace<IngressConfig, PipelineParts> {}
export interface InProcessInput extends Replace<InProcessConfig, PipelineParts> {}
export interface VirtualHostInput
  extends Replace<
    VirtualHostConfig,
    EditsInput & { routes: readonly RouteInput[] },
    'name' | 'domains' | 'routes'
  > {}
export interface RouteInput extends Replace<RouteConfig, RouteParts> {}
export interface ClusterInput extends Replace<ClusterConfig, ClusterParts, 'name'> {}

/** An extension by its name, or with its configuration. */
type Named = string | ExtensionConfig;

type Optional<T> = { [K in keyof T]?: T[K] | undefined };
/** All of `T` optional but `Required`, some parts in another form. */
type Replace<T, Parts, Required extends keyof T = never> = Optional<Omit<T, keyof Parts | Required>> &
  Pick<T, Exclude<Required, keyof Parts>> &
  Optional<Omit<Parts, Required>> &
  Pick<Parts, Required & keyof Parts>;

type EditsInput = {
  [K in keyof HeaderEditsConfig]: HeaderEditsConfig[K] extends readonly string[]
    ? readonly string[]
    : readonly (Optional<HeaderOperationConfig> & Pick<HeaderOperationConfig, 'name' | 'value'>)[];
};

type PipelineParts = EditsInput & {
  normalizePath: Optional<PathNormalization>;
  filters: readonly Named[];
  accessLog: readonly Optional<AccessLogConfig>[];
  tracing: Optional<TracingConfig>;
  virtualHosts: readonly VirtualHostInput[];
};

type NamedMatches<T extends { readonly name: string }> = readonly (Optional<T> & Pick<T, 'name'>)[];

type RouteParts = EditsInput & {
  match: Replace<
    RouteMatchConfig,
    {
      headers: NamedMatches<HeaderMatchConfig>;
      query: NamedMatches<QueryMatchConfig>;
      cookies: NamedMatches<CookieMatchConfig>;
      variables: NamedMatches<VariableMatchConfig>;
      metadata: NamedMatches<MetadataMatchConfig>;
    }
  >;
  hashPolicies: readonly Optional<HashPolicyConfig>[];
  mirrors: readonly Replace<MirrorConfig, object, 'cluster'>[];
  hedge: Optional<HedgeConfig>;
  internalRedirect: Optional<InternalRedirectConfig>;
  weightedClusters: readonly Replace<WeightedClusterConfig, EditsInput, 'cluster'>[];
  redirect: Optional<RedirectConfig>;
  directResponse: Optional<DirectResponseConfig> & Pick<DirectResponseConfig, 'status'>;
  retry: Optional<RetryConfig>;
};

type ClusterParts = {
  endpoints: readonly (string | (Optional<Endpoint> & Pick<Endpoint, 'address'>))[];
  discovery: Optional<DiscoveryConfig> & Pick<DiscoveryConfig, 'name'>;
  loadBalancer: Named;
  codec: Named;
  circuitBreakers: Replace<CircuitBreakersConfig, { retryBudget: Optional<RetryBudgetConfig> }>;
  outlierDetection: Replace<OutlierDetectionConfig, RateParts>;
  healthCheck: Optional<HealthCheckConfig> & Pick<HealthCheckConfig, 'name'>;
  sharding: Optional<ShardingConfig>;
  subsets: Optional<SubsetsConfig>;
  locality: LocalityConfig;
  pool: Optional<PoolConfig>;
  proxyProtocol: Optional<ProxyProtocolConfig>;
  tls: Replace<ClusterTlsConfig, TlsInput>;
};

type TlsInput = { sanMatchers: readonly Optional<SanMatcherConfig>[]; source: Named };

type RateParts = {
  successRate: Optional<SuccessRateConfig>;
  failurePercentage: Optional<FailurePercentageConfig>;
  relativeErrorRate: Optional<RelativeErrorRateConfig>;
};

/** Types a configuration without changing it: completion and checks of keys in the editor. */
export function defineConfig(config: MeshConfig): MeshConfig {
  return config;
}
