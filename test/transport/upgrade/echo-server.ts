/**
 * One generation of a server for the hand-over tests. The first one listens; on "upgrade" it forks the second, hands
 * everything over and reports; with "upgrade-crash" the second dies half-way. Answers carry the path asked for and the process id; every fourth takes a few ms.
 */
import { fork } from 'node:child_process';
import { BufferBudget, WriteSlab } from '../../../src/core/base/buffers.ts';
import type { HeadView } from '../../../src/core/base/head-view.ts';
import type { Codec, CodecContext } from '../../../src/core/contract/codec.ts';
import { Stream, type StreamCore } from '../../../src/core/contract/stream.ts';
import { MetricsTable } from '../../../src/core/observe/metrics.ts';
import { defaultServerLimits, emptyPipeline, silentLogger, testBound } from '../../../src/testing/index.ts';
import { http1 } from '../../../src/transport/codecs/http1/index.ts';
import { DrivenWheel, FlushList, Listener, SystemClock } from '../../../src/transport/index.ts';
import { HandOverReceiver, HandOverSender, processChannel } from '../../../src/transport/upgrade/index.ts';

class EchoSink implements StreamCore {
  #served = 0;

  acquire(): Stream {
    return new Stream(this);
  }

  release(): void {}

  requestHead(s: Stream, _buf: Buffer | null, _a: number, _b: number, end: boolean): void {
    if (end) this.#answer(s);
  }

  requestData(s: Stream, _buf: Buffer, _a: number, _b: number, end: boolean): void {
    if (end) this.#answer(s);
  }

  requestTrailers(s: Stream): void {
    this.#answer(s);
  }

  #answer(s: Stream): void {
    const gen = s.gen;
    const session = s.req.get('x-session') ?? '';
    const body = Buffer.from(`${s.req.path} ${process.pid} ${session}`);
    const send = (): void => {
      if (s.gen !== gen) return;
      s.res.status = 200;
      s.res.contentLength = body.length;
      s.res.add('content-length', String(body.length));
      s.down?.sendHead(s, s.res, body, 0, body.length, true);
    };
    if (this.#served++ % 4 === 0) setTimeout(send, this.#served % 15);
    else send();
  }

  responseInformational(): void {}
  responseHead(): void {}
  responseData(): void {}
  responseTrailers(_s: Stream, _trailers: HeadView): void {}
  upstreamReset(): void {}
  upstreamReady(): void {}
  writable(): void {}
  resume(): void {}
  reply(): void {}
  onStreamDeadline(): void {}

  downstreamReset(s: Stream): void {
    s.recycle();
  }
}

const codecs: Record<string, Codec> = { 'test-bound': testBound, http1: http1 as Codec };
const codec = codecs[process.argv[2] ?? ''] as Codec;
const validated = codec.config['~standard'].validate({}) as { value: unknown };
const isNext = process.argv[3] === 'next';
/** The next generation kills itself once it took so many connections; 0 = never. */
const diesAfter = Number(process.argv[4] ?? 0);
const address = process.argv[5] ?? '127.0.0.1:0';

const clock = new SystemClock();
const context: CodecContext = {
  sink: new EchoSink(),
  clock,
  wheel: new DrivenWheel(clock),
  slab: new WriteSlab(),
  budget: new BufferBudget(1 << 28),
  metrics: new MetricsTable(),
  flushLater: new FlushList().add,
};
const listener = new Listener({
  name: 'ingress',
  address,
  codec,
  codecConfig: validated.value,
  context,
  pipeline: emptyPipeline(),
  limits: { ...defaultServerLimits, maxConnections: 0, maxConnectionsPerSource: 0, backlog: 511 },
  logger: silentLogger,
});

async function handOver(crashAfter: number): Promise<void> {
  const child = fork(import.meta.filename, [process.argv[2] as string, 'next', String(crashAfter), address], {
    serialization: 'advanced',
  });
  const sender = new HandOverSender(processChannel(child), clock);
  await sender.ready(20_000);
  await sender.sendListener(listener);
  const startMs = clock.now();
  const result = await sender.sendConnections(listener);
  const tookMs = clock.now() - startMs;
  sender.end();
  // The port is free again when its heir died: this process goes on accepting.
  if (!child.connected) await listener.start();
  process.send?.({ upgraded: { ...result, tookMs, pid: child.pid } });
}

if (isNext) {
  const receiver = new HandOverReceiver(processChannel(process), () => listener, silentLogger);
  process.on('disconnect', () => process.exit());
  const watch = setInterval(() => {
    if (diesAfter > 0 && receiver.taken >= diesAfter) process.kill(process.pid, 'SIGKILL');
  }, 1);
  await receiver.ended;
  clearInterval(watch);
} else {
  await listener.start();
  process.on('message', (message) => {
    if (message === 'upgrade') void handOver(0);
    if (message === 'upgrade-crash') void handOver(40);
  });
  process.on('disconnect', () => process.exit());
  process.send?.({ address: listener.address });
}
