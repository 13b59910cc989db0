/** Bytes from one connection to another, 64 connections: small exchanges for the goal, large answers beside them. */

import { runContest, settledSeconds } from '../../harness/contest.ts';
import { contestFailures, contestRows, ratioMeasure } from '../../harness/contest-rows.ts';
import type { ContenderResult } from '../../harness/results.ts';
import type { Bench, Suite } from '../../harness/suite.ts';
import { haproxyTcp } from '../../peers/haproxy.ts';
import { heddleTcp } from '../../peers/heddle.ts';
import { netFloor } from '../../peers/node.ts';

const contenders = [heddleTcp, haproxyTcp, netFloor];
const largeBytes = 256 * 1024;

export const suite: Suite = {
  about: 'TCP proxies side by side: CPU per exchange',
  goals: ['tcp.vsHaproxy'],
  rounds: 7,
  seconds: 1.5,
  async run(bench) {
    const small = await contest(bench, 1024);
    const large = await contest(bench, largeBytes);
    return {
      rows: [
        ...contestRows(small, haproxyTcp.name),
        ...contestRows(large, haproxyTcp.name).map((row) => ({ ...row, name: `${row.name}, 256 KiB` })),
      ],
      measures: [ratioMeasure('tcp.vsHaproxy', small, heddleTcp.name, haproxyTcp.name)],
      failures: [...contestFailures(small), ...contestFailures(large)],
    };
  },
};

function contest(bench: Bench, answerBytes: number): Promise<ContenderResult[]> {
  return runContest(bench, contenders, {
    load: { connections: 64, shape: { answerBytes } },
    warmUpSeconds: settledSeconds(bench),
  });
}
