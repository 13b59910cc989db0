import { formatValue } from '../signals/format.ts';
import { leakOfPending, timers } from './cause-memory.ts';
import { at, cause, type Evidence, type Finder, inWords, percent } from './evidence.ts';
import type { Cause, TopFrame } from './verdict-types.ts';

/** Resources that pile up, and requests that wait. */
export const resources: Finder = (evidence) => {
  const { trigger, latest, earlier } = evidence;
  if (!['activeResources', 'fileDescriptors', 'pendingCount'].includes(trigger.signal)) return undefined;
  const rose = (signal: string): number => (latest[signal] ?? 0) - (earlier[signal] ?? 0);
  // Requests that wait hold sockets too: then the waiting is the trouble.
  if (rose('serverInFlight') + rose('clientInFlight') > rose('activeResources') / 4)
    return waitingCause(evidence);
  const grown = Object.keys(latest)
    .filter((name) => name.startsWith('resource:'))
    .map((name) => ({ name: name.slice(9), by: (latest[name] ?? 0) - (earlier[name] ?? 0) }))
    .sort((a, b) => b.by - a.by)[0];
  // Promises are no active resources: where they are the larger part, they are what piles up.
  const largest = evidence.pendingTypes[0];
  const arePromises = trigger.signal === 'pendingCount' && (largest?.value ?? 0) > (grown?.by ?? 0);
  const promises = arePromises ? leakOfPending(evidence, []) : undefined;
  if (promises !== undefined) return promises;
  if ((grown?.by ?? 0) <= 0 && trigger.signal !== 'fileDescriptors') return undefined;
  const creator = creatorOf(evidence, grown?.name);
  const facts = grown !== undefined && grown.by > 0 ? [`${grown.name} grew by ${grown.by}`] : [];
  if (creator !== undefined)
    facts.push(`${percent(creator.share)} of the new pending work was begun in ${at(creator)}`);
  if (grown !== undefined && /^(Timeout|Immediate)/.test(grown.name)) return timers(creator, facts);
  if (grown !== undefined && /TCP|Socket|TLS|Pipe|UDP/.test(grown.name) && grown.by >= 50) {
    const text = `Sockets pile up that nobody closes; they are opened in ${creator ? at(creator) : 'a place that was not seen'}.`;
    return cause('socket-leak', text, creator, facts, 'Close or reuse them; set an idle timeout.');
  }
  const text = `${grown && grown.by > 0 ? grown.name : 'Open descriptors'} pile up, begun in ${creator ? at(creator) : 'a place that was not seen'}.`;
  return cause('descriptor-leak', text, creator, facts, 'Close what is opened on every path.', 'medium');
};

/** Names of active resources that async_hooks spells differently. */
const hookTypes: Readonly<Record<string, string>> = { TCPSocketWrap: 'TCPWRAP', PipeWrap: 'PIPEWRAP' };

/** The creator of the pending work of one type. What the runtime accepted by itself (sockets of a server) has none. */
function creatorOf(evidence: Evidence, type = ''): TopFrame | undefined {
  const kinds = new Set([`pending:${type}`, `pending:${hookTypes[type] ?? type.toUpperCase()}`]);
  const wanted = evidence.profiles.find(({ kind }) => kinds.has(kind));
  const isOwn = ({ place }: TopFrame): boolean => place !== '' && !place.startsWith('node:');
  return wanted?.functions.find(isOwn) ?? evidence.pendingCreators.find(isOwn);
}

export const waits: Finder = (evidence) =>
  ['serverInFlight', 'clientInFlight', 'pendingStreams'].includes(evidence.trigger.signal)
    ? waitingCause(evidence)
    : undefined;

function waitingCause(evidence: Evidence): Cause {
  const { waiting, latest } = evidence;
  const creator = creatorOf(evidence, 'PROMISE');
  const facts = waiting
    .slice(0, 5)
    .map(
      ({ what, count, typicalMs }) =>
        `${count} x ${inWords(what)}, typically ${formatValue(typicalMs, 'milliseconds')} old`,
    );
  if (creator !== undefined && !waiting.some(({ what }) => what.startsWith('stream ')))
    facts.push(`${percent(creator.share)} of the pending work was begun in ${at(creator)}`);
  const client = waiting.find(({ what }) => what.startsWith('client '));
  const stream = waiting.find(({ what }) => what.startsWith('stream '));
  const upstream = stream ?? client;
  if (upstream !== undefined && upstream.count >= Math.max(20, (latest['serverInFlight'] ?? 0) * 0.3)) {
    const text = `${upstream.count} calls wait for ${upstream.what.replace(/^client /, '')}: that upstream is slow or does not answer.`;
    return cause(
      'slow-upstream',
      text,
      // The calls of a mesh are begun by the mesh: who asked it is the route, which the text names.
      stream === undefined ? creator : undefined,
      facts,
      'Give the call a timeout and bound the calls in flight; look at the upstream.',
    );
  }
  const text = `${latest['serverInFlight'] ?? 'Many'} requests wait and no call to an upstream explains it: they wait for each other, on a lock or queue${creator ? ` entered in ${at(creator)}` : ''}.`;
  return cause(
    'lock-contention',
    text,
    creator,
    facts,
    'Look at what holds the lock; "heddle profile <pid> coroutines --deep" shows the exact await chains.',
  );
}
