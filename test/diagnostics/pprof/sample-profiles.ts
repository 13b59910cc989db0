import type { RawCpuProfile } from '../../../src/diagnostics/pprof/cpu-profile.ts';
import type { RawHeapProfile } from '../../../src/diagnostics/pprof/heap-profile.ts';

const frame = (functionName: string, url = 'file:///app/server.js', lineNumber = 9, columnNumber = 2) => ({
  functionName,
  url,
  lineNumber,
  columnNumber,
});

/** root -> handler -> {parse (lines 31 and 33), (anonymous)}, and idle; one sample a millisecond, a gap of five. */
export const rawCpu: RawCpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)', '', -1, -1), children: [2, 5] },
    { id: 2, callFrame: frame('handler'), children: [3, 4] },
    {
      id: 3,
      callFrame: frame('parse', 'file:///app/parse%20er.js', 29, 8),
      positionTicks: [
        { line: 31, ticks: 3 },
        { line: 33, ticks: 1 },
      ],
    },
    { id: 4, callFrame: frame('', 'file:///app/server.js', 19, 4) },
    { id: 5, callFrame: frame('(idle)', '', -1, -1) },
  ],
  startTime: 1_000_000,
  endTime: 1_013_000,
  samples: [3, 3, 3, 3, 4, 5, 2],
  timeDeltas: [1000, 1000, 1000, 1000, 1000, 2000, 5000],
};

export const rawHeap: RawHeapProfile = {
  head: {
    callFrame: frame('(root)', '', -1, -1),
    selfSize: 0,
    id: 1,
    children: [
      {
        callFrame: frame('leak', 'file:///app/leak.js', 4, 0),
        selfSize: 3_000_000,
        id: 2,
        children: [
          { callFrame: frame('grow', 'file:///app/leak.js', 7, 0), selfSize: 1_000_000, id: 3, children: [] },
        ],
      },
    ],
  },
  samples: [
    { nodeId: 2, size: 1_500_000 },
    { nodeId: 2, size: 1_500_000 },
    { nodeId: 3, size: 1_000_000 },
  ],
};
