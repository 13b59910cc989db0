import * as v from 'valibot';
import { clusterTls } from '../../../core/config/schema/tls.ts';
import { frameworkEntries } from '../../../core/discovery/framework/framework-config.ts';
import { integerFrom, password, serverAddress } from '../config-values.ts';
import { aclNames } from './layouts/acl.ts';

const usualPort = 2181;

const folder = v.pipe(
  v.string(),
  v.regex(/^\/([^/\0]+(\/[^/\0]+)*)?$/, 'a path such as "/dubbo", without a slash at its end'),
  v.check((path) => !/\/\.{1,2}(\/|$)/.test(path), 'a path without "." and ".."'),
);

const credentials = v.strictObject({
  /** digest: the scheme of ACLs | saslDigest: SASL with DIGEST-MD5, the only mechanism that is known. */
  kind: v.optional(v.picklist(['digest', 'saslDigest']), 'digest'),
  user: v.pipe(v.string(), v.minLength(1), v.maxLength(255), v.regex(/^[^:\0]*$/, 'a name without ":"')),
  /** The password, or the environment variable or file that has it: read again on every connection. */
  password,
});

export const ZooKeeperConfig = v.pipe(
  v.strictObject({
    ...frameworkEntries,
    /** Whose layout: dubbo | sofa | plain (one folder a service, one node an endpoint, as JSON). */
    dialect: v.optional(v.picklist(['dubbo', 'sofa', 'plain']), 'dubbo'),
    /** The servers of the ensemble, "host:port" (port 2181); asked in random order. */
    addresses: v.pipe(
      v.array(serverAddress(usualPort)),
      v.minLength(1, 'at least one server'),
      v.maxLength(100),
    ),
    /** A folder that stands before every path ("/" = none). */
    chroot: v.optional(folder, '/'),
    /** How long the servers keep what this process published after its connection is lost. They may grant less or more. */
    sessionTimeoutMs: v.optional(integerFrom(1000, 3_600_000), 30_000),
    /** Dial, TLS and handshake with one server. */
    connectTimeoutMs: v.optional(integerFrom(1, 600_000), 5000),
    /** Rests after all servers failed double from the first to the second. */
    backoffBaseMs: v.optional(integerFrom(1, 3_600_000), 250),
    backoffMaxMs: v.optional(integerFrom(1, 3_600_000), 10_000),
    /** The largest answer that is taken: a list of 100,000 providers has about 32 MiB. Servers limit requests by jute.maxbuffer. */
    maxFrameBytes: v.optional(integerFrom(65_536, 268_435_456), 33_554_432),
    /** Who this client says it is (nobody). */
    auth: v.optional(v.array(credentials), []),
    /** Who may change what is published: open | creator | creatorAndReaders (creator with auth, else open). */
    acl: v.optional(v.picklist(aclNames)),
    /** TLS towards the servers (none). */
    tls: v.optional(clusterTls),
    /** Folder of the layout: providers, and for plain the services (dubbo "/dubbo", sofa "/", plain "/heddle"). */
    root: v.optional(folder),
    /** Dubbo: folder of instances by application. */
    instancesRoot: v.optional(folder, '/services'),
    /** Dubbo: folder of metadata and of the mapping from services to applications. */
    metadataRoot: v.optional(folder, '/dubbo'),
    /** Dubbo: folder of the configuration centre, for migration rules. */
    configRoot: v.optional(folder, '/dubbo/config'),
  }),
  v.check(
    ({ acl, auth }) => acl === undefined || acl === 'open' || auth.length > 0,
    'auth, for an acl that names the creator',
  ),
);
export type ZooKeeperConfig = v.InferOutput<typeof ZooKeeperConfig>;

/** What the names in a folder follow on: "" for "/". */
export function under(folderPath: string): string {
  return folderPath === '/' ? '' : folderPath;
}
