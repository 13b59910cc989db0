/** Dubbo2 with hessian2, 416 bytes to ask and 414 to answer, 64 connections: pipelined (window 32) and one at a time. */

import { runContest, settledSeconds } from '../../harness/contest.ts';
import { contestFailures, contestRows, ratioMeasure } from '../../harness/contest-rows.ts';
import { answerBytes, requestFrame, responseFrame, services } from '../../harness/dubbo-frames.ts';
import { framedTraffic } from '../../harness/framed-load.ts';
import type { ContenderResult } from '../../harness/results.ts';
import type { Bench, Suite } from '../../harness/suite.ts';
import { haproxyTcp } from '../../peers/haproxy.ts';
import { heddleDubbo } from '../../peers/heddle.ts';
import { mosnDubbo } from '../../peers/mosn.ts';
import { naiveDubbo } from '../../peers/node.ts';

const contenders = [heddleDubbo, haproxyTcp, mosnDubbo, naiveDubbo];

export const suite: Suite = {
  about: 'Dubbo proxies side by side: CPU per request',
  goals: ['dubbo.vsMosn'],
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
      measures: [ratioMeasure('dubbo.vsMosn', pipelined, heddleDubbo.name, mosnDubbo.name)],
      failures: [...contestFailures(pipelined), ...contestFailures(single)],
    };
  },
};

function contest(bench: Bench, window: number): Promise<ContenderResult[]> {
  const requests = services.map((_, index) => requestFrame(index));
  const answer = responseFrame();
  if (answer.length !== answerBytes) throw new Error(`an answer of ${answer.length} bytes`);
  return runContest(bench, contenders, {
    load: framedTraffic({ protocol: 'dubbo', connections: 64, window, requests, answer }),
    warmUpSeconds: settledSeconds(bench),
  });
}
