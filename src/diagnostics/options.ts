import { basename, join } from 'node:path';
import * as v from 'valibot';
import { HeddleError, messageOf } from '../core/base/errors.ts';
import type { Signal } from '../core/contract/signal.ts';
import type { Capture, Sink } from '../core/contract/sink.ts';
import type { BackendChoice } from './backends/index.ts';
import { defaultDirectory } from './captures/directory.ts';
import type { ControlSocket, MonitorEvent } from './contract.ts';
import { isUnknownKey, unknownKey } from './known-keys.ts';
import { nodeProfilers } from './node-profilers.ts';
import { type ParsedRules, parseRules } from './rules/parse.ts';
import { type SinkConfig, sinkConfigSchema } from './sinks/config.ts';

const positive = v.pipe(v.number(), v.gtValue(0));
const whole = v.pipe(v.number(), v.integer(), v.minValue(0));

const recorderSchema = v.strictObject({
  samplingMs: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(1000)), 100),
  windowMs: v.optional(v.pipe(v.number(), v.minValue(1000)), 10_000),
  windows: v.optional(v.pipe(whole, v.minValue(1), v.maxValue(60)), 6),
});

const recordSchema = v.strictObject({
  path: v.optional(v.pipe(v.string(), v.minLength(1))),
  maxBytes: v.optional(v.pipe(positive, v.minValue(4096))),
  files: v.optional(v.pipe(whole, v.minValue(1), v.maxValue(100))),
});

const boundsSchema = v.strictObject({
  maxFiles: v.optional(v.pipe(whole, v.minValue(1)), 100),
  maxBytes: v.optional(positive, 1_073_741_824),
  maxAgeMs: v.optional(positive, 604_800_000),
  capturesPerHour: v.optional(whole, 20),
  profileMsPerHour: v.optional(whole, 180_000),
});

/**
 * `pending`: when pending async work is tracked. `onTrigger` from a rule's first suspicion on; `dutyCycle` also 200 ms
 * of every 20 s, so that the signal `pendingCount` holds an estimate of promises and timers; `off` never.
 * All of this can be written in a file as well; it is everything but functions.
 */
const settingsSchema = v.strictObject({
  service: v.optional(v.pipe(v.string(), v.regex(/^[\w.@-]{1,80}$/))),
  directory: v.optional(v.pipe(v.string(), v.minLength(1))),
  intervalMs: v.optional(v.pipe(v.number(), v.minValue(100), v.maxValue(60_000))),
  warmUpMs: v.optional(whole, 10_000),
  rules: v.optional(v.unknown()),
  recorder: v.optional(v.union([v.boolean(), recorderSchema]), true),
  /** Keeps the signals as JSON lines for `heddle watch --replay`; `true` writes to the directory. */
  record: v.optional(v.union([v.boolean(), recordSchema]), false),
  heapSamplingBytes: v.optional(whole, 524_288),
  /** What takes CPU and heap profiles of the main thread; `auto` is `datadog` where it loads. */
  backend: v.optional(v.picklist(['inspector', 'datadog', 'pprof', 'auto']), 'inspector'),
  cpuHertz: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(1000)), 99),
  keepRaw: v.optional(v.boolean(), false),
  pending: v.optional(v.picklist(['off', 'onTrigger', 'dutyCycle']), 'onTrigger'),
  labels: v.optional(v.record(v.string(), v.string()), {}),
  bounds: v.optional(boundsSchema, {}),
  sinks: v.optional(v.array(sinkConfigSchema), []),
  memoryLimitBytes: v.optional(positive),
  cpuCores: v.optional(positive),
  control: v.optional(v.strictObject({ listen: v.optional(v.string()), dial: v.optional(v.string()) }), {}),
});

/** Names of the settings that can stand in a file. */
export const monitorSettingNames: readonly string[] = Object.keys(settingsSchema.entries);

type SettingsInput = v.InferInput<typeof settingsSchema>;

/** Options of `createMonitor`. All have defaults; the settings among them can stand in a rules file. */
export interface MonitorOptions extends SettingsInput {
  /** Signals of your own, read on the application's thread once a second; rules see them as `user:<name>`. */
  readonly signals?: readonly Signal[];
  /** Called with each finished capture, on the application's thread. */
  readonly onCapture?: (capture: Capture) => void;
  readonly onEvent?: (event: MonitorEvent) => void;
  /** Sinks of your own, called on the application's thread. */
  readonly callbacks?: readonly Sink[];
}

/** Checked settings with defaults: plain data that travels to the worker. */
export interface MonitorSettings {
  readonly service: string;
  readonly directory: string;
  readonly intervalMs: number;
  readonly warmUpMs: number;
  readonly rules: ParsedRules;
  readonly recorder: v.InferOutput<typeof recorderSchema> | undefined;
  readonly record: { readonly path: string; readonly maxBytes?: number; readonly files?: number } | undefined;
  readonly heapSamplingBytes: number;
  readonly backend: BackendChoice;
  readonly cpuHertz: number;
  readonly keepRaw: boolean;
  readonly pending: 'off' | 'onTrigger' | 'dutyCycle';
  readonly labels: Readonly<Record<string, string>>;
  readonly bounds: v.InferOutput<typeof boundsSchema>;
  readonly sinks: readonly SinkConfig[];
  readonly memoryLimitBytes: number | undefined;
  readonly cpuCores: number | undefined;
  readonly control: ControlSocket;
}

/** Throws what `createMonitor` would throw for these options, and does nothing else. */
export function checkMonitorOptions(options: unknown): void {
  resolveSettings(options as MonitorOptions);
}

/** One thing wrong with the settings of a monitor. */
interface MonitorProblem {
  readonly path: readonly (string | number)[];
  /** What is wrong, or what may stand there. */
  readonly detail: string;
}

/**
 * What is wrong with the settings, each with its place; empty when `createMonitor` takes them.
 *
 * @public loaded late by `heddle check`
 */
export function monitorProblems(settings: unknown): MonitorProblem[] {
  const parsed = v.safeParse(settingsSchema, settings);
  if (!parsed.success) return parsed.issues.map(problemOf);
  try {
    parseRules(parsed.output.rules);
    return [];
  } catch (thrown) {
    const found = thrown instanceof HeddleError ? thrown.context['problems'] : undefined;
    const details = Array.isArray(found) ? (found as string[]) : [messageOf(thrown)];
    return details.map(withPlace);
  }
}

/** `rules.stall: no such setting` or `rules[3] "mine": ...` into place and rest. */
function withPlace(detail: string): MonitorProblem {
  const [, place, rest = ''] = /^rules\.([\w.-]+): ([\s\S]*)$/.exec(detail) ?? [];
  return place === undefined
    ? { path: ['rules'], detail }
    : { path: ['rules', ...place.split('.')], detail: rest };
}

function problemOf(issue: v.InferIssue<typeof settingsSchema>): MonitorProblem {
  const path = (issue.path ?? []).map(({ key }) => key as string | number);
  return { path, detail: isUnknownKey(issue) ? unknownKey(settingsSchema, issue) : issue.message };
}

/** Checks everything at once; throws ERR_OPTION_INVALID with every problem and its path. */
export function resolveSettings(options: MonitorOptions): MonitorSettings {
  const {
    signals: _signals,
    onCapture: _onCapture,
    onEvent: _onEvent,
    callbacks: _callbacks,
    ...data
  } = options;
  const parsed = v.safeParse(settingsSchema, data);
  if (!parsed.success) {
    const problems = parsed.issues
      .map(problemOf)
      .map(({ path, detail }) => `${path.length === 0 ? 'monitor' : path.join('.')}: ${detail}`);
    throw new HeddleError('ERR_OPTION_INVALID', problems.join('; '), { context: { problems } });
  }
  const settings = parsed.output;
  const rules = parseRules(settings.rules);
  const bounds = v.parse(boundsSchema, settings.bounds);
  const recorder = settings.recorder === true ? {} : settings.recorder;
  const byNode = nodeProfilers();
  const service = settings.service ?? ownName();
  const directory = settings.directory ?? defaultDirectory();
  return {
    ...settings,
    service,
    directory,
    record: recordOf(settings.record, join(directory, `${service}-${process.pid}.signals.jsonl`)),
    intervalMs: settings.intervalMs ?? (rules.mode === 'holmes' ? 5000 : 1000),
    rules,
    bounds,
    recorder: recorder === false || byNode.cpu ? undefined : v.parse(recorderSchema, recorder),
    heapSamplingBytes: byNode.heap ? 0 : settings.heapSamplingBytes,
    memoryLimitBytes: settings.memoryLimitBytes,
    cpuCores: settings.cpuCores,
    control: settings.control as ControlSocket,
  };
}

function recordOf(
  record: boolean | v.InferOutput<typeof recordSchema>,
  ownPath: string,
): MonitorSettings['record'] {
  if (record === false) return undefined;
  const { path = ownPath, maxBytes, files } = record === true ? {} : record;
  return { path, ...(maxBytes !== undefined && { maxBytes }), ...(files !== undefined && { files }) };
}

/** The script's name without its extension; safe in a file name. */
function ownName(): string {
  const script =
    process.env['HEDDLE_SERVICE'] ?? basename(process.argv[1] ?? 'node').replace(/\.[cm]?[jt]s$/, '');
  return script.replaceAll(/[^\w.@-]/g, '_').slice(0, 80) || 'node';
}
