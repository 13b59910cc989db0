import { createRequire } from 'node:module';
import type * as OpenTelemetry from '@opentelemetry/api';
import { once } from '../base/once.ts';

/** Where every copy of the API, of the 1.x versions, keeps what the application registered. */
const registrations = Symbol.for('opentelemetry.js.api.1');

/** Has the application registered an OpenTelemetry tracer provider? */
export function hasTracerProvider(): boolean {
  const holder = globalThis as { readonly [registrations]?: { readonly trace?: unknown } };
  return holder[registrations]?.trace !== undefined;
}

/**
 * The API, loaded where something is registered: it costs 22 ms of CPU. Which copy of it answers makes no difference,
 * for they share the registrations.
 */
export const openTelemetry: () => typeof OpenTelemetry = once(() => {
  const require = createRequire(import.meta.url);
  return require('@opentelemetry/api') as typeof OpenTelemetry;
});
