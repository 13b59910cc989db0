import * as v from 'valibot';
import { fields } from './combine.ts';
import { count, integer, milliseconds, name } from './values.ts';

/** 1 ms to the longest delay of a timer. */
const delay = integer(1, 2_147_483_647);
const factor = v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(1000));

export const successRate = fields({
  minHosts: v.optional(integer(2, 1_000_000), 5),
  requestVolume: v.optional(integer(1, 1_000_000_000), 100),
  stdevFactor: v.optional(factor, 1.9),
});

export const failurePercentage = fields({
  thresholdPercent: v.optional(integer(1, 100), 85),
  minHosts: v.optional(integer(1, 1_000_000), 5),
  requestVolume: v.optional(integer(1, 1_000_000_000), 50),
});

export const relativeErrorRate = fields({
  multiple: v.optional(v.pipe(v.number(), v.finite(), v.gtValue(1), v.maxValue(1000)), 5),
  requestVolume: v.optional(integer(1, 1_000_000_000), 10),
});

export const outlierDetection = fields({
  consecutiveErrors: v.optional(count, 5),
  consecutiveGatewayErrors: v.optional(count, 0),
  splitLocalOriginErrors: v.optional(v.boolean(), false),
  consecutiveLocalOriginErrors: v.optional(count, 5),
  successRate: v.optional(successRate),
  failurePercentage: v.optional(failurePercentage),
  relativeErrorRate: v.optional(relativeErrorRate),
  intervalMs: v.optional(delay, 10_000),
  baseEjectionMs: v.optional(milliseconds, 30_000),
  maxEjectionMs: v.optional(milliseconds, 300_000),
  maxEjectionPercent: v.optional(integer(0, 100), 10),
  healthyCheckReturns: v.optional(v.boolean(), true),
});

/** Everything of a check but its kind. */
const checkTimes = {
  intervalMs: v.optional(delay, 5000),
  timeoutMs: v.optional(delay, 1000),
  healthyThreshold: v.optional(integer(1, 10_000), 2),
  unhealthyThreshold: v.optional(integer(1, 10_000), 3),
  intervalJitterMs: v.optional(milliseconds, 0),
  intervalJitterPercent: v.optional(integer(0, 100), 10),
  initialJitterMs: v.optional(milliseconds),
  noTrafficIntervalMs: v.optional(delay, 60_000),
  unhealthyIntervalMs: v.optional(delay),
  reuseConnection: v.optional(v.boolean(), true),
  maxConcurrent: v.optional(integer(1, 100_000), 100),
} as const;

export const healthCheck = fields({ name, config: v.optional(v.unknown()), ...checkTimes });
