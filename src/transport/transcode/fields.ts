import type { HeadView } from '../../core/base/head-view.ts';
import { valueByte } from '../../core/base/header-field.ts';

/** What a trace and a request id travel in. */
export const traceFields: readonly string[] = ['traceparent', 'tracestate', 'baggage', 'x-request-id'];

/** Adds those of `from` that `names` lists and that a header can hold. */
export function addKnown(
  head: HeadView,
  names: readonly string[],
  from: Readonly<Record<string, string>>,
): void {
  for (const [name, value] of Object.entries(from)) {
    const lowerName = name.toLowerCase();
    if (names.includes(lowerName) && isHeaderValue(value)) head.add(lowerName, value);
  }
}

function isHeaderValue(value: string): boolean {
  for (let i = 0; i < value.length; i++) if (valueByte[value.charCodeAt(i)] !== 1) return false;
  return true;
}
