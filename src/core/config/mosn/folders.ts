import { readConfigText } from '../read-text.ts';
import type { MosnContext } from './context.ts';
import type { Place } from './report.ts';
import { type Keys, Section } from './section.ts';

/** The objects of a folder, one file each (`clusters_configs`, `router_configs`). */
export function folderSections<K extends string>(
  context: MosnContext,
  place: Place,
  folder: string,
  keys: Keys<K>,
): Section<K>[] {
  const { report, options } = context;
  const files = options.readFolder?.(folder);
  if (files === undefined || files === null) {
    const why = files === undefined ? 'folders are read from files only' : 'it cannot be read';
    report.problem(place, folder, `a folder with one JSON file for each object (${why})`);
    return [];
  }
  const used = files.filter((file) => /\.(json|ya?ml)$/i.test(file.path));
  return used.flatMap((file) => {
    const format = file.path.toLowerCase().endsWith('.json') ? 'json' : 'yaml';
    const { value, locate, problems } = readConfigText(file.text, file.path, format);
    const source = { file: file.path, locate, value };
    for (const each of problems) report.problem({ source, path: [] }, each.read, each.allowed);
    return value === undefined ? [] : (Section.open(report, { source, path: [] }, value, keys) ?? []);
  });
}
