/** Reaching monitors in other processes: attach to a running one, launch with the monitor, watch many. */
export type { AgentOptions } from './agent.ts';
export { AgentHub, type HubAgent, type HubListener } from './agent-hub.ts';
export { type Attached, type AttachOptions, attach } from './attach.ts';
export type { AgentHello } from './control.ts';
export {
  type DaemonOptions,
  matchesProcess,
  type ProcessMatch,
  WatchDaemon,
  type WatchedProcess,
  type WatchState,
} from './daemon.ts';
export { type Launched, type LaunchOptions, launch, preloadEnvironment } from './launch.ts';
export { type OutsideOptions, OutsideWatch } from './outside.ts';
export { listNodeProcesses, type ProcessFacts, readProcess } from './process-table.ts';
export { refusalOf } from './refusal.ts';
export { RemoteControl } from './remote-control.ts';
export { controlDirectory, controlSocketPath, removeStaleSockets } from './socket-path.ts';
