/** What a scanner may take in. `ServerLimits` is one. */
export interface HeadLimits {
  /** First line and headers together. */
  readonly maxHeaderBytes: number;
  readonly maxHeaderCount: number;
}

/** How strict a scan is, as bits made once per connection. */
export const Policy = {
  refuseUnderscore: 1,
  dropUnderscore: 2,
  allowObsText: 4,
  response: 8,
  /** Names are not looked at: the trailer section has rules of its own. */
  trailers: 16,
} as const;

/** What the scanner saw among the fields, to be judged when the head is complete. */
export const FieldFlags = {
  host: 1,
  length: 2,
  encoding: 4,
  connectionClose: 8,
  connectionKeepAlive: 16,
  connectionUpgrade: 32,
  /** Connection names a field that no list of ours knows. */
  connectionOther: 64,
} as const;
