import type { Contender } from '../harness/contender.ts';
import { findProgram } from './find.ts';
import { writeConfig } from './template.ts';

/** nginx that only forwards. */
export const nginx: Contender = {
  name: 'nginx',
  find: () =>
    findProgram({
      program: 'nginx',
      versionArgs: ['-v'],
      pattern: /nginx\/(\d[\d.]*)/,
      hint: 'install it: apt-get install nginx-light',
    }),
  launch: (place) => ({
    command: place.path,
    args: ['-p', place.directory, '-e', 'stderr', '-c', writeConfig('nginx/http1.conf', place)],
  }),
};
