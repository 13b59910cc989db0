/** The pool thread's entry: one capture job a call. */
export { runCaptureJob as default } from './job.ts';
