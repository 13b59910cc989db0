import type { ProfileKind } from '../../core/contract/profile-kind.ts';
import type { KindContext } from './context.ts';
import { beforeKind, cpuKind } from './cpu.ts';
import { allocationsKind, heapKind } from './heap.ts';
import { buffersKind, inFlightKind, pendingKind } from './hooked.ts';
import { coroutinesKind, gcKind, reportKind, snapshotKind } from './runtime.ts';
import { stackKind } from './stack.ts';

/** Every built-in profile kind: one line each. */
const makers = [
  cpuKind,
  beforeKind,
  stackKind,
  heapKind,
  allocationsKind,
  gcKind,
  pendingKind,
  buffersKind,
  inFlightKind,
  reportKind,
  coroutinesKind,
  snapshotKind,
];

export const createProfileKinds = (context: KindContext): ProfileKind[] =>
  makers.map((make) => make(context));

/** Their names, for checking rules without a running monitor. */
export const profileKindNames: readonly string[] = [
  'cpu',
  'before',
  'stack',
  'heap',
  'allocations',
  'gc',
  'pending',
  'buffers',
  'in-flight',
  'report',
  'coroutines',
  'snapshot',
];
