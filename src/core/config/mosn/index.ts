export type { FolderFile, MosnOptions } from './context.ts';
export { convertMosn } from './convert.ts';
export { looksLikeMosn } from './detect.ts';
export { formatNotices, type Notice } from './report.ts';
