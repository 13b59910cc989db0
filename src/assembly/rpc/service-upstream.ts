import { Code } from '../../core/base/codes.ts';
import type { HostUpstream, UpstreamFactory } from '../../core/contract/cluster.ts';
import { type ServiceContext, ServiceEnd } from './service-end.ts';

/** A cluster whose one host is a table of services of this process. */
export function serviceUpstream(context: ServiceContext): UpstreamFactory {
  return (): HostUpstream => {
    const ends = new Set<ServiceEnd>();
    let isClosed = false;
    return {
      open(s) {
        if (isClosed) return Code.draining;
        const end = new ServiceEnd(context, (done) => ends.delete(done));
        ends.add(end);
        s.reused = false;
        return end;
      },
      cancelWait() {},
      drain() {
        isClosed = true;
      },
      close() {
        isClosed = true;
        for (const end of [...ends]) end.fail(Code.locallyClosed);
      },
    };
  };
}
