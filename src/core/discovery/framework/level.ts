import type { HostTable } from '../host-table.ts';
import type { FeedChange } from '../service-feed.ts';

/** One of the two lists of a service. */
export interface Level {
  /** As its sources have it, empty or not. */
  readonly hosts: HostTable;
  /** All that it takes to say who is there has been answered once. */
  readonly isReady: boolean;
  close(): void;
}

export interface LevelListener {
  /** `hosts` has changed so already. */
  onChange(change: FeedChange): void;
  /** @param source which of its sources. @param reason "" = that one is well */
  onTrouble(source: string, reason: string): void;
}
