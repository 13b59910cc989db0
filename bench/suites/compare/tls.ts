/** TLS 1.3 in front, plain HTTP/1.1 behind, 1 KB answers: connections that are kept, and a handshake a request. */

import { runContest } from '../../harness/contest.ts';
import { contestFailures, contestRows, ratioMeasure } from '../../harness/contest-rows.ts';
import type { ContenderResult } from '../../harness/results.ts';
import type { Bench, Suite } from '../../harness/suite.ts';
import { tlsTraffic, type WrkPlan } from '../../harness/wrk-load.ts';
import { envoyTls, haproxyTls, heddleTls, nginxTls } from '../../peers/tls.ts';

const contenders = [heddleTls, nginxTls, haproxyTls, envoyTls];

export const suite: Suite = {
  about: 'TLS 1.3 side by side: CPU per request and per handshake',
  goals: ['tls.vsNginx', 'tls.handshakeVsNginx'],
  rounds: 4,
  seconds: 3,
  async run(bench) {
    const kept = await contest(bench, { connections: 64 }, 4);
    // V8 counts calls: a handshake is one, and it takes ten thousand of them to see the code that will run for weeks.
    const fresh = await contest(bench, { connections: 32, closes: true }, 10);
    return {
      rows: [
        ...contestRows(kept, nginxTls.name),
        ...contestRows(fresh, nginxTls.name).map((row) => ({ ...row, name: `${row.name}, handshake each` })),
      ],
      measures: [
        ratioMeasure('tls.vsNginx', kept, heddleTls.name, nginxTls.name),
        ratioMeasure('tls.handshakeVsNginx', fresh, heddleTls.name, nginxTls.name),
      ],
      failures: [...contestFailures(kept), ...contestFailures(fresh)],
    };
  },
};

function contest(bench: Bench, plan: WrkPlan, warmUpSeconds: number): Promise<ContenderResult[]> {
  return runContest(bench, contenders, {
    load: tlsTraffic(plan),
    warmUpSeconds: Math.min(warmUpSeconds, bench.seconds * 4),
  });
}
