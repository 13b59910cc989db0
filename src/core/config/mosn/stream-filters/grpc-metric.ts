import { Section } from '../section.ts';
import type { FilterConversion } from './conversion.ts';

/** MOSN's `grpc_metric`: counts by service and method. It has no settings. */
export const grpcMetric: FilterConversion = {
  name: 'grpc-metrics',
  create({ report }, config, place) {
    return Section.open(report, place, config ?? {}, { read: [] }) === null ? null : { config: {} };
  },
};
