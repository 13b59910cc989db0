/** HTTP/1.1, keep-alive, 1 KB answers, 64 connections, 200 hosts: Heddle beside every proxy that can be had. */

import { runContest, settledSeconds } from '../../harness/contest.ts';
import { bestOf, contestFailures, contestRows, ratioMeasure } from '../../harness/contest-rows.ts';
import type { Suite } from '../../harness/suite.ts';
import { envoy, envoyFull } from '../../peers/envoy.ts';
import { reverseProxy } from '../../peers/go.ts';
import { haproxy, haproxyFull } from '../../peers/haproxy.ts';
import { heddle, heddleFull } from '../../peers/heddle.ts';
import { mosn, mosnFull } from '../../peers/mosn.ts';
import { nginx } from '../../peers/nginx.ts';
import { netFloor, nodePeers } from '../../peers/node.ts';

const contenders = [
  heddle,
  heddleFull,
  haproxy,
  haproxyFull,
  nginx,
  reverseProxy,
  mosn,
  mosnFull,
  envoy,
  envoyFull,
  ...nodePeers,
  netFloor,
];
const nodeNames = nodePeers.map((peer) => peer.name);

export const suite: Suite = {
  about: 'HTTP/1.1 proxies side by side: CPU per request',
  goals: ['http1.vsHaproxy', 'http1.bareVsHaproxy', 'http1.vsBestNode', 'http1.vsMosn', 'http1.vsEnvoy'],
  rounds: 5,
  seconds: 1.5,
  async run(bench) {
    const results = await runContest(bench, contenders, {
      load: { connections: 64 },
      warmUpSeconds: settledSeconds(bench),
    });
    const full = heddleFull.name;
    return {
      rows: contestRows(results, haproxy.name),
      measures: [
        ratioMeasure('http1.vsHaproxy', results, full, haproxyFull.name),
        ratioMeasure('http1.bareVsHaproxy', results, heddle.name, haproxy.name),
        ratioMeasure('http1.vsBestNode', results, full, bestOf(results, nodeNames) ?? 'a Node proxy'),
        ratioMeasure('http1.vsMosn', results, full, mosnFull.name),
        ratioMeasure('http1.vsEnvoy', results, full, envoyFull.name),
      ],
      failures: contestFailures(results),
    };
  },
};
