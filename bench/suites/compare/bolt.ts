/** Bolt v1, 416 bytes to ask and 414 to answer, 64 connections: pipelined (window 32) and one request at a time. */

import { answerBytes, requestFrame, responseFrame, services } from '../../harness/bolt-frames.ts';
import { runContest, settledSeconds } from '../../harness/contest.ts';
import { contestFailures, contestRows, ratioMeasure } from '../../harness/contest-rows.ts';
import { framedTraffic } from '../../harness/framed-load.ts';
import type { ContenderResult } from '../../harness/results.ts';
import type { Bench, Suite } from '../../harness/suite.ts';
import { haproxyTcp } from '../../peers/haproxy.ts';
import { heddleBolt } from '../../peers/heddle.ts';
import { mosnBolt } from '../../peers/mosn.ts';
import { naiveBolt } from '../../peers/node.ts';

const contenders = [heddleBolt, haproxyTcp, mosnBolt, naiveBolt];

export const suite: Suite = {
  about: 'Bolt proxies side by side: CPU per request',
  goals: ['bolt.vsHaproxyTcp', 'bolt.vsMosn', 'bolt.window1VsHaproxyTcp'],
  rounds: 5,
  seconds: 1.5,
  async run(bench) {
    const pipelined = await contest(bench, 32);
    const single = await contest(bench, 1);
    return {
      rows: [
        ...contestRows(pipelined, haproxyTcp.name),
        ...contestRows(single, haproxyTcp.name).map((row) => ({ ...row, name: `${row.name}, window 1` })),
      ],
      measures: [
        ratioMeasure('bolt.vsHaproxyTcp', pipelined, heddleBolt.name, haproxyTcp.name),
        ratioMeasure('bolt.vsMosn', pipelined, heddleBolt.name, mosnBolt.name),
        ratioMeasure('bolt.window1VsHaproxyTcp', single, heddleBolt.name, haproxyTcp.name),
      ],
      failures: [...contestFailures(pipelined), ...contestFailures(single)],
    };
  },
};

function contest(bench: Bench, window: number): Promise<ContenderResult[]> {
  const requests = services.map((_, index) => requestFrame(index, 0));
  const answer = responseFrame(0);
  if (answer.length !== answerBytes) throw new Error(`an answer of ${answer.length} bytes`);
  return runContest(bench, contenders, {
    load: framedTraffic({ protocol: 'bolt', connections: 64, window, requests, answer }),
    warmUpSeconds: settledSeconds(bench),
  });
}
