import { ChunkedList, type ListView } from '../../base/chunked-list.ts';
import type { Host, HostSet } from '../../contract/cluster.ts';
import type { Stream } from '../../contract/stream.ts';

/** Whether an earlier try of this stream went to that host. */
export function wasTried(s: Stream | null, host: Host): boolean {
  return s?.triedHosts?.includes(host) === true;
}

/** The first host from `start` on, in a circle, that was not tried; `otherwise` when all were. */
export function firstUntried(hosts: ListView<Host>, start: number, s: Stream | null, otherwise: Host): Host {
  const count = hosts.length;
  for (let step = 0; step < count; step++) {
    const at = start + step;
    const host = hosts.get(at < count ? at : at - count);
    if (!wasTried(s, host)) return host;
  }
  return otherwise;
}

/** What may be chosen, to be indexed: the set's own view where it has one. */
export function availableHosts(set: HostSet): ListView<Host> {
  return set.availableView ?? ChunkedList.from(set.available);
}

export const noHosts: ListView<Host> = new ChunkedList<Host>();
