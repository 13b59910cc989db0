import { readdirSync, readFileSync } from 'node:fs';

/** Files of /proc and cgroup; injected so that tests use fixtures. Undefined means "not there" or "not allowed". */
export interface TextSource {
  read(path: string): string | undefined;
  /** Number of entries of a directory. */
  count(path: string): number | undefined;
}

export const systemText: TextSource = {
  read: (path) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  },
  count: (path) => {
    try {
      return readdirSync(path).length;
    } catch {
      return undefined;
    }
  },
};
