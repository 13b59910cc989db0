import * as v from 'valibot';
import { clusterTls } from '../../../core/config/schema/tls.ts';
import { frameworkEntries } from '../../../core/discovery/framework/framework-config.ts';
import { integerFrom, password, serverAddress } from '../config-values.ts';

const usualPort = 8848;

/** What Nacos itself takes for names of groups, clusters and namespaces. */
const word = v.pipe(
  v.string(),
  v.regex(/^[\w.:-]{1,128}$/, 'letters, digits, "_", ".", ":" and "-", at most 128'),
);

export const NacosConfig = v.strictObject({
  ...frameworkEntries,
  /** Whose layout: plain (one Nacos service a service) | dubbo | sofa. */
  dialect: v.optional(v.picklist(['plain', 'dubbo', 'sofa']), 'plain'),
  /** The servers by their HTTP port, "host:port" (port 8848); asked in turn from a random one on. */
  addresses: v.pipe(
    v.array(serverAddress(usualPort)),
    v.minLength(1, 'at least one server'),
    v.maxLength(100),
  ),
  /** Where gRPC listens: the HTTP port and so much. */
  grpcPortOffset: v.optional(v.pipe(v.number(), v.integer(), v.minValue(-65_535), v.maxValue(65_535)), 1000),
  /** Id of the namespace ("public", the one that is always there; sofa: "sofa-rpc"). */
  namespace: v.optional(word),
  group: v.optional(word, 'DEFAULT_GROUP'),
  /** Only instances of these clusters (all). */
  clusters: v.optional(v.array(word), []),
  /** Cluster of what is published ("DEFAULT"; sofa: "default-cluster"). */
  cluster: v.optional(word),
  /** User that logs in (nobody). */
  username: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(255))),
  /** The password, or the environment variable or file that has it: read again for every login. */
  password: v.optional(password),
  /** Before the paths of the HTTP port, for the login. */
  contextPath: v.optional(v.pipe(v.string(), v.regex(/^(\/[\w.-]+)*$/, 'a path such as "/nacos"')), '/nacos'),
  /** TLS of the gRPC port (none). */
  tls: v.optional(clusterTls),
  /** TLS of the HTTP port, for the login (none). */
  loginTls: v.optional(clusterTls),
  /** Dial, TLS and handshake with one server. */
  connectTimeoutMs: v.optional(integerFrom(1, 600_000), 5000),
  requestTimeoutMs: v.optional(integerFrom(1, 600_000), 3000),
  /** A server that says nothing for so long is asked whether it is there; servers give up clients after 20 s. */
  keepAliveMs: v.optional(integerFrom(100, 15_000), 5000),
  /** Rests after all servers failed double from the first to the second. */
  backoffBaseMs: v.optional(integerFrom(1, 3_600_000), 250),
  backoffMaxMs: v.optional(integerFrom(1, 3_600_000), 10_000),
  /** The largest answer that is taken: a list of 100,000 instances has about 32 MiB. */
  maxMessageBytes: v.optional(integerFrom(65_536, 268_435_456), 33_554_432),
});
export type NacosConfig = v.InferOutput<typeof NacosConfig>;

/** What a layout's own framework uses where nothing is said. */
export function usualPlace(config: NacosConfig): { readonly namespace: string; readonly cluster: string } {
  const isSofa = config.dialect === 'sofa';
  return {
    namespace: config.namespace ?? (isSofa ? 'sofa-rpc' : 'public'),
    cluster: config.cluster ?? (isSofa ? 'default-cluster' : 'DEFAULT'),
  };
}
