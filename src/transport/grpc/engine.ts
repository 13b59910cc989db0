import { BufferBudget, WriteSlab } from '../../core/base/buffers.ts';
import { RpcNames } from '../../core/base/rpc-names.ts';
import { TextCache } from '../../core/base/text-cache.ts';
import type { CodecContext } from '../../core/contract/codec.ts';
import { TurnWrites } from '../../core/contract/turn-writes.ts';
import { FlushList } from '../flush.ts';
import { DrivenWheel } from '../system-clock.ts';
import { ChannelCore } from './channel-core.ts';
import type { GrpcSurroundings } from './options.ts';

/** What calls may hold while servers are slow; a bound for mistakes, flow control bounds the rest. */
const heldBytes = 256 * 1024 * 1024;

/** What many channels share: timers, buffers, the way from connections to calls (about 75 KiB). */
export class GrpcEngine {
  readonly core: ChannelCore = new ChannelCore();
  readonly wheel: DrivenWheel;
  readonly context: CodecContext;

  constructor({ clock, metrics }: GrpcSurroundings) {
    this.wheel = new DrivenWheel(clock);
    this.context = {
      sink: this.core,
      clock,
      wheel: this.wheel,
      slab: new WriteSlab(),
      writes: new TurnWrites(null),
      texts: new TextCache(),
      names: new RpcNames(),
      budget: new BufferBudget(heldBytes),
      metrics,
      flushLater: new FlushList().add,
    };
  }

  close(): void {
    this.wheel.close();
  }
}
