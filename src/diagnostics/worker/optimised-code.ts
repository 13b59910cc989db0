import type { InspectorSession } from '../../core/contract/profile-kind.ts';

/** A coverage that a test runner collects would be lost: the remedies of this file are left out then. */
const isCovered = (): boolean => process.env['NODE_V8_COVERAGE'] !== undefined;

/**
 * Throws optimised code away (5 to 40 ms, by starting and stopping precise coverage): a function that was optimised before
 * a profiler began is charged to its caller. The session's profiler must be enabled.
 */
export function forgetOptimised(session: InspectorSession): Promise<unknown>[] {
  if (isCovered()) return [];
  return [
    session.post('Profiler.startPreciseCoverage', { callCount: false, detailed: false }),
    session.post('Profiler.stopPreciseCoverage'),
  ];
}

/**
 * Keeps V8 from inlining until the returned function is called: its heap sampler sees no inlined functions and charges
 * their callers. While precise coverage by function, without counts, has not been read, V8 must not miss the first call of
 * a function and inlines none (`SharedFunctionInfo::GetInlineability`, needs binary coverage; seen on Node 22, 24 and 26).
 * It goes on to optimise them each by itself: code that allocates keeps its speed, tight arithmetic loses up to four
 * fifths. Both ends cost as much as `forgetOptimised`.
 *
 * @param connect a session of its own for that time
 */
export async function preventInlining(
  connect: () => InspectorSession & { disconnect(): void },
): Promise<() => Promise<void>> {
  if (isCovered()) return async () => {};
  const session = connect();
  const end = async (): Promise<void> => {
    // What was compiled meanwhile would stay as it is.
    await Promise.all([session.post('Profiler.stopPreciseCoverage'), ...forgetOptimised(session)]).catch(
      () => {},
    );
    session.disconnect();
  };
  try {
    const coverage = { callCount: false, detailed: false };
    await Promise.all([
      session.post('Profiler.enable'),
      session.post('Profiler.startPreciseCoverage', coverage),
    ]);
  } catch (error) {
    session.disconnect();
    throw error;
  }
  return end;
}
