/** Unary calls of gRPC, 1 KB each way with trailers, h2c to h2c: 32 connections with 10 and with 100 calls each. */

import { runContest, settledSeconds } from '../../harness/contest.ts';
import { contestFailures, contestRows, ratioMeasure } from '../../harness/contest-rows.ts';
import { grpcTraffic } from '../../harness/grpc-load.ts';
import type { ContenderResult } from '../../harness/results.ts';
import type { Bench, Suite } from '../../harness/suite.ts';
import { envoyH2, haproxyH2, heddleH2, mosnHttp2, nginxGrpc } from '../../peers/h2.ts';

const contenders = [heddleH2, haproxyH2, nginxGrpc, envoyH2, mosnHttp2];

export const suite: Suite = {
  about: 'gRPC proxies side by side: CPU per unary call',
  goals: ['grpc.vsHaproxy'],
  rounds: 3,
  // As in http2: between its turns Node forgets optimised code.
  seconds: 4,
  async run(bench) {
    const few = await contest(bench, 10);
    // No goal rests on it: two rounds of three.
    const many = await contest({ ...bench, rounds: Math.ceil((bench.rounds * 2) / 3) }, 100);
    return {
      rows: [
        ...contestRows(few, haproxyH2.name),
        ...contestRows(many, haproxyH2.name).map((row) => ({ ...row, name: `${row.name}, 100 streams` })),
      ],
      measures: [ratioMeasure('grpc.vsHaproxy', few, heddleH2.name, haproxyH2.name)],
      failures: [...contestFailures(few), ...contestFailures(many)],
    };
  },
};

function contest(bench: Bench, streams: number): Promise<ContenderResult[]> {
  return runContest(bench, contenders, {
    load: grpcTraffic({ connections: 32, streams, messageBytes: 1024 }),
    warmUpSeconds: 2 * settledSeconds(bench),
  });
}
