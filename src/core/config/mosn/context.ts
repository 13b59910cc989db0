import type { ExtensionSet } from '../extensions.ts';
import type { ClusterUses } from './cluster-uses.ts';
import type { Origins } from './origins.ts';
import type { Report } from './report.ts';

/** One file of a folder that a MOSN configuration names. */
export interface FolderFile {
  readonly path: string;
  readonly text: string;
}

/** What the conversion needs of the world. */
export interface MosnOptions {
  /** MOSN's own behaviour: unknown keys and what cannot be built are skipped with a notice (false). */
  readonly lenient?: boolean;
  /** Reads `clusters_configs` and `router_configs`; null when there is no such folder (folders are refused). */
  readonly readFolder?: (path: string) => readonly FolderFile[] | null;
  /** Makes a path that is relative to the working directory absolute (left as it is). */
  readonly absolutePath?: (path: string) => string;
  /** What is wrong with a text with `%OPERATORS%`. */
  readonly checkValue?: (text: string) => readonly string[];
}

/** What all parts of one conversion share. */
export interface MosnContext {
  readonly report: Report;
  readonly origins: Origins;
  readonly clusters: ClusterUses;
  readonly extensions: ExtensionSet;
  readonly options: MosnOptions;
}
