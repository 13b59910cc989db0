const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
/** `grpc-timeout` has at most eight digits. */
const mostDigits = 99_999_999;

/**
 * The value of `grpc-timeout` in milliseconds, rounded up, at least 1; -1 when it is none (gRPC over HTTP/2, "Timeout").
 */
export function parseGrpcTimeout(text: string): number {
  const found = /^(\d{1,8})([HMSmun])$/.exec(text);
  if (found === null) return -1;
  return Math.max(1, Math.ceil(Number(found[1]) * (unitMs[found[2] as string] as number)));
}

/** In the finest unit from milliseconds on that eight digits hold. @param timeoutMs rounded up, at least 1 */
export function formatGrpcTimeout(timeoutMs: number): string {
  const ms = Math.max(1, Math.ceil(timeoutMs));
  if (ms <= mostDigits) return `${ms}m`;
  if (ms <= mostDigits * 1000) return `${Math.ceil(ms / 1000)}S`;
  return `${Math.min(mostDigits, Math.ceil(ms / 60_000))}M`;
}
