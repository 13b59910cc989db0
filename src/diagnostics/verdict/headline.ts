import type { Cause, CauseName } from './verdict-types.ts';

/** What happened in a few words, for titles: whoever is woken at night reads this line first. */
const headlines: Readonly<Record<CauseName, string>> = {
  'sync-work': 'the event loop was blocked',
  json: 'the event loop was blocked by JSON',
  'regular-expression': 'the event loop was blocked by a regular expression',
  'system-call': 'the event loop waited in a system call',
  'native-call': 'the event loop was blocked by a synchronous call',
  'busy-loop': 'the event loop is kept busy',
  'cpu-use': 'the processor is busy',
  'gc-thrash': 'the garbage collector takes the time',
  'promise-leak': 'promises pile up',
  'timer-leak': 'timers pile up',
  'socket-leak': 'sockets pile up',
  'descriptor-leak': 'open descriptors pile up',
  'heap-leak': 'the heap fills up',
  'buffer-leak': 'buffers pile up',
  'slow-readers': 'readers are slower than they are written to',
  'slow-upstream': 'an upstream does not answer',
  'lock-contention': 'requests wait for each other',
  'cpu-throttled': 'the CPU quota is used up',
  'memory-limit': 'memory is nearly used up',
  requested: 'capture that was asked for',
  'not-known': 'the cause is not known',
};

export function headlineOf({ name, guilty }: Cause): string {
  const isAsked = name === 'requested' || name === 'not-known' || guilty === undefined;
  return isAsked ? headlines[name] : `${headlines[name]}: ${guilty.name}`;
}
