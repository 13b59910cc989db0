/** The self-profiling monitor: usable alone (`import { createMonitor } from 'heddle/diagnostics'`). */

export { HeddleError, messageOf } from '../core/base/errors.ts';
export type {
  ProfileArtifact,
  ProfileKind,
  ProfileRequest,
  ProfileTarget,
} from '../core/contract/profile-kind.ts';
export type { Signal, SignalDefinition, SignalSample } from '../core/contract/signal.ts';
export type { Capture, CaptureFile, CaptureTrigger, Sink } from '../core/contract/sink.ts';
export { monitorSections } from './admin-sections.ts';
export * from './attach/index.ts';
export * from './backends/index.ts';
export { listCaptures } from './capture-list.ts';
export { defaultDirectory } from './captures/directory.ts';
export type {
  ControlSocket,
  ManualCapture,
  MonitorControl,
  MonitorEvent,
  MonitorStatus,
  RuleState,
} from './contract.ts';
export { createDebugHandler, type DebugHandler, type DebugHandlerOptions } from './debug-handler.ts';
export { monitorMetrics } from './metrics.ts';
export { createMonitor, type Monitor, startMonitor } from './monitor.ts';
export { checkMonitorOptions, type MonitorOptions, monitorSettingNames } from './options.ts';
export * from './pprof/index.ts';
export { convertProfile, type ProfileFormat, profileFormats, readProfileFile } from './profile-file.ts';
export type { Profile, ProfileFrame, ProfileSample, ProfileTree, SampleType } from './profile-model.ts';
export { changedRules, type RuleChanges } from './rules/change.ts';
export { type ParsedRules, parseRules } from './rules/parse.ts';
export { type ReplayedDecision, type ReplayOptions, replayRules } from './rules/replay.ts';
export type { Rule } from './rules/rule-types.ts';
export { signalCatalogue } from './signals/catalogue.ts';
export { type RecordedSample, SignalLog, type SignalLogOptions } from './signals/signal-log.ts';
export { type CoroutineMeta, coroutinesOf } from './snapshot/index.ts';
export type { Cause, CauseName, Verdict } from './verdict/verdict-types.ts';
export { startViewer, type Viewer, type ViewerOptions } from './viewer/index.ts';
