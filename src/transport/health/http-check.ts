import type { Endpoint } from '../../core/contract/cluster.ts';
import type { HealthCheckContext, HealthCheckDefinition } from '../../core/contract/health-check.ts';
import { withPort } from './address-port.ts';
import { type HttpCheckConfig, httpCheckConfig, requestOf, statusSet } from './http-check-config.ts';
import { type HttpExpectations, HttpProbe } from './http-probe.ts';

/** An HTTP/1.1 request of its own; the status of the answer decides. */
export const httpCheck: HealthCheckDefinition<HttpCheckConfig> = {
  name: 'http',
  config: httpCheckConfig,
  create(given, context: HealthCheckContext) {
    const expectations: HttpExpectations = {
      expected: statusSet(given.expectedStatuses),
      retriable: statusSet(given.retriableStatuses),
      isHead: given.method === 'HEAD',
      keeps: context.reuseConnection,
    };
    return (host: Endpoint) => {
      const authority = given.host || host.hostname || context.cluster;
      const request = requestOf(given, authority, context.reuseConnection);
      return new HttpProbe(withPort(host.address, given.port), context.dial, request, expectations);
    };
  },
};
