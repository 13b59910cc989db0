/** The local, offline page for captures and profiles. */
export { startViewer, type Viewer, type ViewerOptions } from './viewer.ts';
