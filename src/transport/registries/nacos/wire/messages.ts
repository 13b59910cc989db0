/** The parts of Nacos' messages that are read or written here; the names are those of its Java classes. */

export interface NacosResponse {
  /** 200: all well. */
  readonly resultCode?: number;
  readonly errorCode?: number;
  readonly message?: string | null;
}

export interface ServerCheckResponse extends NacosResponse {
  readonly connectionId?: string;
  readonly supportAbilityNegotiation?: boolean;
}

export interface NacosInstance {
  readonly ip: string;
  readonly port: number;
  readonly weight?: number;
  readonly healthy?: boolean;
  readonly enabled?: boolean;
  readonly ephemeral?: boolean;
  readonly clusterName?: string;
  readonly serviceName?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface ServiceInfo {
  /** With or without "GROUP@@" in front. */
  readonly name?: string;
  readonly groupName?: string;
  readonly hosts?: readonly NacosInstance[];
}

export interface ServiceResponse extends NacosResponse {
  readonly serviceInfo?: ServiceInfo;
}

export interface ServiceListResponse extends NacosResponse {
  readonly count?: number;
  readonly serviceNames?: readonly string[];
}

export interface ConfigQueryResponse extends NacosResponse {
  readonly content?: string;
  readonly md5?: string;
}

interface ConfigKey {
  readonly dataId: string;
  readonly group: string;
}

export interface ConfigChangesResponse extends NacosResponse {
  readonly changedConfigs?: readonly ConfigKey[];
}

/** What the server asks of us on the stream. */
export interface ServerRequest {
  readonly requestId?: string;
  readonly serviceInfo?: ServiceInfo;
  readonly dataId?: string;
  readonly group?: string;
  readonly serverIp?: string;
  readonly serverPort?: string | number;
}

/** Error codes of NacosException that mean something to a client. */
export const NacosCode = {
  success: 200,
  /** A configuration that does not exist. */
  notFound: 300,
  /** The server does not know the connection (any more). */
  unregistered: 301,
  noRight: 403,
} as const;

/** What a server answered instead of what was asked for. */
export class NacosError extends Error {
  override readonly name = 'NacosError';
  readonly errorCode: number;

  constructor(errorCode: number, message: string) {
    super(message);
    this.errorCode = errorCode;
  }
}
