/**
 * What heartbeats of idle Bolt connections cost in half an hour of simulated time: backing off against one every 15 s. Codec,
 * frames, wheel and back-off are the real ones; clock and wires are not.
 */
import { RpcNames } from '../../src/core/base/rpc-names.ts';
import type { Codec } from '../../src/core/contract/codec.ts';
import { createFakeTime, fakeCodecContext, RecordingSink } from '../../src/testing/index.ts';
import { bolt } from '../../src/transport/codecs/bolt/index.ts';
import type { FramedConfig } from '../../src/transport/codecs/framed/index.ts';
import { Keepalive } from '../../src/transport/pool/keepalive.ts';
import { FakeWire } from '../cases/fake-wire.ts';
import { rounded } from '../harness/stats.ts';
import type { Row, Suite } from '../harness/suite.ts';

const simulatedMs = 1_800_000;
const stepMs = 1000;
const timeoutMs = 1000;

type Heartbeat = NonNullable<Codec['heartbeat']>;
const backingOff = bolt.heartbeat as Heartbeat;
const fixed: Heartbeat = { intervalMs: 15_000, timeoutMs, maxMissed: 3 };

interface Cost {
  readonly messages: number;
  readonly cpuMs: number;
  readonly closed: number;
}

const config: FramedConfig = {
  maxFrameBytes: 8_388_608,
  maxConcurrent: 4096,
  maxQueuedBytes: 16_777_216,
  idleTimeoutMs: 90_000,
  frameTimeoutMs: 30_000,
  announce: false,
};

export const suite: Suite = {
  about: 'heartbeats of 1,000 and 100,000 idle Bolt connections in half an hour, against one every 15 s',
  goals: ['heartbeat.vsFixed'],
  rounds: 1,
  seconds: 1,
  run(bench) {
    const rows: Row[] = [];
    let worst = 0;
    for (const connections of [1000, 100_000]) {
      bench.progress(`${connections} connections`);
      const ours = simulate(connections, backingOff);
      const theirs = simulate(connections, fixed);
      const messageRatio = ours.messages / theirs.messages;
      worst = Math.max(worst, messageRatio);
      rows.push(
        { name: `${connections}, backing off`, ...figures(ours), ratio: rounded(messageRatio, 3) },
        { name: `${connections}, every 15 s`, ...figures(theirs), ratio: 1 },
        { name: `${connections}, CPU ratio`, ratio: rounded(ours.cpuMs / theirs.cpuMs, 3) },
      );
      if (ours.closed + theirs.closed > 0) throw new Error('a connection whose peer answers was closed');
    }
    return Promise.resolve({ rows, measures: [{ id: 'heartbeat.vsFixed', value: rounded(worst) }] });
  },
};

const figures = ({ messages, cpuMs }: Cost): Omit<Row, 'name'> => ({
  messages,
  messagesPerSecond: rounded(messages / (simulatedMs / 1000)),
  cpuMs: rounded(cpuMs),
});

/** Peers answer each heartbeat at once. */
function simulate(connections: number, heartbeat: Heartbeat): Cost {
  // A real second is a tick: the wheel's own turning would drown what is measured.
  const time = createFakeTime(stepMs);
  const context = { ...fakeCodecContext(new RecordingSink(), time), names: new RpcNames() };
  const keepalive = new Keepalive(context, heartbeat);
  let messages = 0;
  let closed = 0;
  const waiting: FakeWire[] = [];
  const owner = { room: () => {}, connected: () => {}, gone: () => void closed++ };
  for (let i = 0; i < connections; i++) {
    const wire = new FakeWire('dialled', (self) => waiting.push(self));
    const client = bolt.client(wire, context, owner, config);
    wire.established();
    keepalive.watch(client);
  }
  const before = process.cpuUsage();
  for (let atMs = 0; atMs < simulatedMs; atMs += stepMs) {
    time.clock.advance(stepMs);
    context.flush();
    for (const wire of waiting.splice(0)) {
      wire.take();
      messages++;
      wire.receive(acknowledge(wire.lastBuf as Buffer, wire.lastStart));
    }
  }
  const { user, system } = process.cpuUsage(before);
  return { messages, cpuMs: (user + system) / 1000, closed };
}

/** The answer to the heartbeat at `start`. */
function acknowledge(frame: Buffer, start: number): Buffer {
  const answer = Buffer.alloc(20);
  answer[0] = 1;
  answer[4] = 1;
  frame.copy(answer, 5, start + 5, start + 10);
  return answer;
}
