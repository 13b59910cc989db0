/** What of @grpc/grpc-js is used: it is the program's own package, of whatever version, and never imported here. */
export interface JsMetadata {
  add(name: string, value: string | Buffer): void;
  merge(other: JsMetadata): void;
  clone(): JsMetadata;
  /** Names in lower case; values of "-bin" names in base64. */
  toHttp2Headers(): Record<string, number | string | readonly string[] | undefined>;
}

export interface JsStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: JsMetadata;
}

export interface JsListener {
  onReceiveMetadata(metadata: JsMetadata): void;
  onReceiveMessage(message: Buffer): void;
  onReceiveStatus(status: JsStatus): void;
}

export interface JsCallCredentials {
  generateMetadata(options: {
    readonly service_url: string;
    readonly method_name?: string;
  }): Promise<JsMetadata>;
}

export interface JsMessageContext {
  readonly callback?: (error?: Error | null) => void;
  readonly flags?: number;
}

/** A `Call` of @grpc/grpc-js. */
export interface JsCall {
  cancelWithStatus(status: number, details: string): void;
  getPeer(): string;
  start(metadata: JsMetadata, listener: JsListener): void;
  sendMessageWithContext(context: JsMessageContext, message: Buffer): void;
  startRead(): void;
  halfClose(): void;
  getCallNumber(): number;
  setCredentials(credentials: JsCallCredentials): void;
  getAuthContext(): null;
}

/** A `Channel` of @grpc/grpc-js. */
export interface JsChannel {
  close(): void;
  getTarget(): string;
  getConnectivityState(tryToConnect: boolean): number;
  watchConnectivityState(state: number, deadline: Date | number, done: (error?: Error) => void): void;
  getChannelzRef(): { readonly kind: 'channel'; readonly id: number; readonly name: string };
  createCall(method: string, deadline: Date | number, host: string | null | undefined): JsCall;
}
