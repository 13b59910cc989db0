export type { FolderFile } from './context.ts';
export { formatNotices, type Notice } from './report.ts';
