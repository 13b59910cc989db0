/** Protocols that carry calls of methods with arguments. */
export type RpcProtocol = 'bolt' | 'dubbo';

/** One call, whatever the protocol. */
export interface RpcRequest {
  /** Interface, e.g. "com.example.Greeter". */
  readonly service: string;
  /** "" when it has none. */
  readonly version: string;
  /** Dubbo's group, SOFARPC's unique id; "" when it has none. */
  readonly group: string;
  readonly method: string;
  readonly args: readonly unknown[];
  /** Java types of the arguments, e.g. "java.lang.String", "long", "int[]". */
  readonly argTypes: readonly string[];
  /** Texts beside the arguments. */
  readonly attachments: Readonly<Record<string, string>>;
  /** 0: the caller did not say. */
  readonly timeoutMs: number;
  /** No answer is wanted. */
  readonly isOneway: boolean;
}

/** What became of a call. */
export type RpcOutcome =
  | {
      readonly kind: 'value';
      readonly value: unknown;
      readonly attachments: Readonly<Record<string, string>>;
    }
  | {
      /** The method threw. */
      readonly kind: 'exception';
      readonly exception: RpcException;
      readonly attachments: Readonly<Record<string, string>>;
    }
  | {
      /** The framework at the other end, or a proxy, refused: the protocol's own status. */
      readonly kind: 'failure';
      readonly status: number;
      readonly message: string;
    };

/** A Java exception as it stands on the wire. */
export interface RpcException {
  readonly className: string;
  readonly message: string;
  /** "" when the other end sent none. */
  readonly stack: string;
  /** Further fields of its class (none). */
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
}

export const noAttachments: Readonly<Record<string, string>> = Object.freeze({});
