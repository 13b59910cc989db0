import { FuzzRandom } from './fuzz.ts';
import { type FrameSequence, frameSequence } from './http2-inputs.ts';
import { NodeOracle, ourVerdict, type Verdict } from './http2-verdict.ts';

/** One way in which the two verdicts differ; `id` is the stream, 0 the connection. */
interface Difference {
  readonly kind: 'lost' | 'more' | 'ourReset' | 'nodeReset' | 'ourGoAway' | 'nodeGoAway';
  readonly id: number;
  readonly code: number;
}

/**
 * Where both agree there is none. A connection error of node's where ours resets a stream is none either: RFC 9113
 * §5.4.2 leaves that choice, and node drops the requests that came before it in the same bytes.
 */
function differences(ours: Verdict, node: Verdict): Difference[] {
  const all: Difference[] = [];
  const idOf = (request: string): number => Number(request.split(' ')[0]);
  for (const each of node.requests) {
    if (!ours.requests.includes(each)) all.push({ kind: 'lost', id: idOf(each), code: 0 });
  }
  const hasEnded = node.goAway !== -1;
  if (ours.goAway === -1 && hasEnded && ours.resets.size === 0)
    all.push({ kind: 'nodeGoAway', id: 0, code: node.goAway });
  if (ours.goAway !== -1 && !hasEnded) all.push({ kind: 'ourGoAway', id: 0, code: ours.goAway });
  if (ours.goAway === -1) {
    for (const [id, code] of node.resets)
      if (ours.resets.get(id) !== code) all.push({ kind: 'nodeReset', id, code });
  }
  if (hasEnded) return all;
  for (const each of ours.requests) {
    if (!node.requests.includes(each)) all.push({ kind: 'more', id: idOf(each), code: 0 });
  }
  for (const [id, code] of ours.resets) if (!node.resets.has(id)) all.push({ kind: 'ourReset', id, code });
  return all;
}

interface Reason {
  readonly text: string;
  explains(difference: Difference, sequence: FrameSequence, ours: Verdict): boolean;
}

const has = (word: string) => (sequence: FrameSequence) => sequence.label.includes(word);
const isDamaged = has('damaged');

/** Why the verdicts may differ; the first that fits counts. What none explains is a failure. */
const reasons: readonly Reason[] = [
  {
    text: 'node lets pass heads that RFC 9113 §8 calls malformed (no authority, another Host), or judges them before the frame is complete',
    explains: ({ kind, id }, { strange }) =>
      (kind === 'ourReset' || kind === 'lost' || kind === 'nodeReset') && strange.has(id),
  },
  {
    text: 'bytes were damaged: node judges a head before its frame is complete, and drops fields that RFC 9113 §8.2.1 forbids',
    explains: ({ kind }, sequence) => isDamaged(sequence) && kind !== 'more' && kind !== 'ourGoAway',
  },
  {
    text: 'node takes a PING with ACK that nobody asked for as an error',
    explains: ({ kind, code }, sequence) => kind === 'nodeGoAway' && code === 2 && has('ping')(sequence),
  },
  {
    text: 'node takes a second ACK of SETTINGS, or SETTINGS_NO_RFC7540_PRIORITIES that comes late, as an error',
    explains: ({ kind, code }, sequence) => kind === 'nodeGoAway' && code === 1 && has('settings')(sequence),
  },
  {
    text: 'a WINDOW_UPDATE on a stream that is answered here and not yet there',
    explains: ({ kind, code }, sequence) =>
      kind === 'nodeGoAway' && (code === 1 || code === 3) && has('window')(sequence),
  },
  {
    text: 'the request was answered here before the RST_STREAM, GOAWAY or fault behind it; node drops it',
    explains: ({ kind }, sequence, ours) =>
      kind === 'more' &&
      (has('rst')(sequence) || has('goaway')(sequence) || ours.goAway !== -1 || ours.resets.size > 0),
  },
  {
    text: 'node ignores frames on a stream that the client has closed or skipped, where RFC 9113 §5.1 demands STREAM_CLOSED',
    explains: ({ kind, code }) => (kind === 'ourReset' || kind === 'ourGoAway') && code === 5,
  },
  {
    text: 'node ignores PRIORITY without a stream or on itself, where RFC 9113 §5.3.1 and §6.3 demand an error',
    explains: ({ kind, code }, sequence) =>
      (kind === 'ourReset' || kind === 'ourGoAway' || kind === 'lost') &&
      (code <= 1 || code === 6) &&
      has('priority')(sequence),
  },
  {
    text: 'node ignores what comes behind a GOAWAY of the client',
    explains: ({ kind }, sequence) =>
      (kind === 'ourGoAway' || kind === 'ourReset') && has('goaway')(sequence),
  },
  {
    text: 'the connection ended here with an error that node passes over, so what came behind it was not read',
    explains: ({ kind }, _sequence, ours) => kind === 'lost' && ours.goAway !== -1,
  },
  {
    text: 'node passes over DATA that is all padding on a stream that is closed, where RFC 9113 §6.1 demands PROTOCOL_ERROR',
    explains: ({ kind, code }, sequence) => kind === 'ourGoAway' && code === 1 && has('data')(sequence),
  },
  {
    text: 'HEADERS that depend on themselves are taken by node (RFC 9113 §5.3.1)',
    explains: ({ kind, code }, sequence) =>
      (kind === 'ourReset' || kind === 'lost') &&
      code <= 1 &&
      has('headers')(sequence) &&
      dependsOnItself(sequence),
  },
];

/** A HEADERS frame with the priority flag whose dependency is its own stream. */
function dependsOnItself({ bytes }: FrameSequence): boolean {
  for (let at = 33; at + 13 < bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
    const isHeaders = bytes[at + 3] === 1 && ((bytes[at + 4] as number) & 32) !== 0;
    if (isHeaders && bytes.readUInt32BE(at + 9) === bytes.readUInt32BE(at + 5)) return true;
  }
  return false;
}

export interface Comparison {
  readonly sequences: number;
  readonly same: number;
  /** How often each reason explained a difference. */
  readonly reasons: ReadonlyMap<string, number>;
}

/**
 * Gives `count` frame sequences to our server and to node:http2 and compares what they make of them.
 * @throws Error for a difference without a reason
 */
export async function compareWithNode(count: number, firstSeed: number): Promise<Comparison> {
  const oracle = new NodeOracle();
  const counts = new Map<string, number>();
  let same = 0;
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const sequence = frameSequence(new FuzzRandom(seed));
    const ours = ourVerdict(sequence.bytes, Number.POSITIVE_INFINITY, true);
    const node = await oracle.judge(sequence.bytes);
    const found = differences(ours, node);
    if (found.length === 0) same++;
    for (const each of found) {
      const reason = reasons.find(({ explains }) => explains(each, sequence, ours));
      if (reason === undefined) throw new Error(message(seed, sequence, each, ours, node));
      counts.set(reason.text, (counts.get(reason.text) ?? 0) + 1);
    }
  }
  return { sequences: count, same, reasons: counts };
}

function message(
  seed: number,
  { label }: FrameSequence,
  each: Difference,
  ours: Verdict,
  node: Verdict,
): string {
  const plain = ({ goAway, requests, resets }: Verdict): string =>
    JSON.stringify({ goAway, requests, resets: [...resets] });
  return `seed ${seed}: ${each.kind} ${each.code} on ${each.id}: ${label}\n  ours ${plain(ours)}\n  node ${plain(node)}`;
}
