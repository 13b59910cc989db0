/** h2c to h2c, 1 KB answers, 32 connections with 10 and with 100 streams each. */

import { runContest, settledSeconds } from '../../harness/contest.ts';
import { contestFailures, contestRows, ratioMeasure } from '../../harness/contest-rows.ts';
import { h2Traffic } from '../../harness/h2-load.ts';
import type { ContenderResult } from '../../harness/results.ts';
import type { Bench, Suite } from '../../harness/suite.ts';
import { envoyH2, haproxyH2, heddleH2, mosnHttp2, nginxH2, nodeHttp2 } from '../../peers/h2.ts';

const contenders = [heddleH2, haproxyH2, nginxH2, envoyH2, mosnHttp2, nodeHttp2];

export const suite: Suite = {
  about: 'HTTP/2 proxies side by side: CPU per request',
  goals: ['http2.vsHaproxy', 'http2.vsNodeHttp2'],
  rounds: 3,
  // Between its turns Node forgets optimised code: the first 60,000 requests of a turn cost it twice as much.
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
      measures: [
        ratioMeasure('http2.vsHaproxy', few, heddleH2.name, haproxyH2.name),
        ratioMeasure('http2.vsNodeHttp2', few, heddleH2.name, nodeHttp2.name),
      ],
      failures: [...contestFailures(few), ...contestFailures(many)],
    };
  },
};

function contest(bench: Bench, streams: number): Promise<ContenderResult[]> {
  return runContest(bench, contenders, {
    load: h2Traffic({ connections: 32, streams, answerBytes: 1024 }),
    // Node's optimiser sees a new connection's code rarely: it needs more requests than on HTTP/1.1.
    warmUpSeconds: 2 * settledSeconds(bench),
  });
}
