export type { FolderFile, MosnOptions } from './context.ts';
export { convertMosn, type MosnConversion } from './convert.ts';
export { looksLikeMosn } from './detect.ts';
export { formatNotices, type Notice } from './report.ts';
