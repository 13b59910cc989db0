/** Conditions of a route. At most one of path, prefix, segmentPrefix, template, regex; all look at the path without its query. */
export interface RouteMatchConfig {
  /** The whole path. */
  readonly path?: string | undefined;
  /** The path begins with it ("/" when no other is given). */
  readonly prefix?: string | undefined;
  /** The path begins with it and goes on with "/" or ends there. */
  readonly segmentPrefix?: string | undefined;
  /** Pattern of the whole path: "*" or {name} is one segment or a part of one, "**" or {name=**} any rest, {name=a/*} a named part. */
  readonly template?: string | undefined;
  /** RE2 syntax; must match the whole path. */
  readonly regex?: string | undefined;
  /** false: ASCII letters of the path match in either case (true). */
  readonly caseSensitive: boolean;
  /** Any of these (all). */
  readonly methods: readonly string[];
  /** All of these (none). */
  readonly headers: readonly HeaderMatchConfig[];
  /** All of these (none). */
  readonly query: readonly QueryMatchConfig[];
  /** All of these (none). */
  readonly cookies: readonly CookieMatchConfig[];
  /** All of these facts about connection and call (none). */
  readonly variables: readonly VariableMatchConfig[];
  /** All of these texts that filters have set on the stream (none). */
  readonly metadata: readonly MetadataMatchConfig[];
  /** An expression in CEL that must be true; needs the package @marcbachmann/cel-js (none). */
  readonly expression?: string | undefined;
}

/** A condition on a text. At most one of exact, prefix, suffix, contains, regex, present. */
interface TextMatchConfig {
  /** The whole value. */
  readonly exact?: string | undefined;
  /** The value begins with it. */
  readonly prefix?: string | undefined;
  /** The value ends with it. */
  readonly suffix?: string | undefined;
  /** The value holds it. */
  readonly contains?: string | undefined;
  /** RE2 syntax; must match the whole value. */
  readonly regex?: string | undefined;
  /** true: it is there, false: it is not (true when no other is given). */
  readonly present?: boolean | undefined;
  /** Turns the outcome round; what is missing then matches (false). */
  readonly invert: boolean;
}

/** A condition on a header. At most one of exact, prefix, suffix, contains, regex, present. Repeated headers are joined by ",". */
export interface HeaderMatchConfig extends TextMatchConfig {
  /** Header name, or :method, :path, :authority. An attachment of an RPC protocol is a header, its name case-sensitive. */
  readonly name: string;
}

/** A condition on a query parameter; its first value counts, percent-decoded. At most one of exact, prefix, suffix, contains, regex, present. */
export interface QueryMatchConfig extends TextMatchConfig {
  /** Parameter name, case-sensitive. */
  readonly name: string;
}

/** A condition on a cookie; its first value counts, without quotes around it. At most one of exact, prefix, suffix, contains, regex, present. */
export interface CookieMatchConfig extends TextMatchConfig {
  /** Cookie name, case-sensitive. */
  readonly name: string;
}

/** A condition on a text that a filter set with setMetadata. At most one of exact, prefix, suffix, contains, regex, present. */
export interface MetadataMatchConfig extends TextMatchConfig {
  /** Key of the text. */
  readonly name: string;
}

/** A condition on a fact about connection or call. At most one of exact, prefix, suffix, contains, regex, within, present. */
export interface VariableMatchConfig extends TextMatchConfig {
  /** sourceAddress and sourcePort of the connection, clientAddress as trusted proxies told it, listener and listenerPort, protocol, serverName (TLS), spiffeId, service, rpcMethod, serviceVersion and serviceGroup (RPC, gRPC, Triple). */
  readonly name: RouteVariable;
  /** The value is an address in one of these blocks, such as 10.0.0.0/8. */
  readonly within?: readonly string[] | undefined;
}

/** What a route may ask about connection and call. */
export type RouteVariable =
  | 'sourceAddress'
  | 'sourcePort'
  | 'clientAddress'
  | 'listener'
  | 'listenerPort'
  | 'protocol'
  | 'serverName'
  | 'spiffeId'
  | 'service'
  | 'rpcMethod'
  | 'serviceVersion'
  | 'serviceGroup';
