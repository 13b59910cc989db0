/** The pool thread's entry: one capture job a call. */
import type { Capture } from '../../core/contract/sink.ts';
import { type CaptureJob, runCaptureJob } from './job.ts';

/** `warm` only starts the thread: that takes as long as the profile, so it happens meanwhile. */
export default async function run(job: CaptureJob | 'warm'): Promise<Capture | undefined> {
  return job === 'warm' ? undefined : runCaptureJob(job);
}
