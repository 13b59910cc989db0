import { BufferBudget, WriteSlab } from '../../core/base/buffers.ts';
import type { Clock } from '../../core/base/clock.ts';
import { RpcNames } from '../../core/base/rpc-names.ts';
import { TextCache } from '../../core/base/text-cache.ts';
import type { CodecContext } from '../../core/contract/codec.ts';
import type { Pipeline } from '../../core/contract/pipeline.ts';
import type { StreamSink } from '../../core/contract/stream-end.ts';
import { TurnWrites } from '../../core/contract/turn-writes.ts';
import { MetricsTable } from '../../core/observe/metrics.ts';
import { DrivenWheel, FlushList } from '../../transport/index.ts';

/** Bytes that slow readers of `openHttp` may make this thread hold. */
const limitBytes = 64 * 1024 * 1024;

/** What `openHttp` of a mesh in a worker runs on: HTTP/1.1 is read here, streams go across. */
export function httpEnd(sink: StreamSink, clock: Clock): { codec: CodecContext; pipeline: Pipeline } {
  const codec: CodecContext = {
    sink,
    clock,
    wheel: new DrivenWheel(clock),
    slab: new WriteSlab(),
    writes: new TurnWrites(null),
    texts: new TextCache(),
    names: new RpcNames(),
    budget: new BufferBudget(limitBytes),
    metrics: new MetricsTable(),
    flushLater: new FlushList().add,
  };
  // Streams of this thread meet no filters and no routes: the worker's pipeline has them.
  return { codec, pipeline: null as unknown as Pipeline };
}
