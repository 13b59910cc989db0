import { HeddleError } from '../../src/diagnostics/index.ts';

/** What `heddle watch` can be asked to do; each form takes some of the options. */
const forms = {
  list: { what: '--list', takes: ['json'] },
  replay: { what: '--replay', takes: ['rules', 'set', 'json'] },
  all: {
    what: '--all',
    takes: [
      'config',
      'rules',
      'set',
      'for',
      'directory',
      'service',
      'backend',
      'socket',
      'record',
      'stop',
      'json',
    ],
  },
  process: {
    what: 'a process id',
    takes: [
      'rules',
      'set',
      'for',
      'directory',
      'service',
      'backend',
      'record',
      'pause',
      'resume',
      'stop',
      'stay',
      'json',
    ],
  },
  outside: { what: '<pid> --outside', takes: ['rules', 'set', 'for', 'record', 'json'] },
  command: {
    what: 'a command to start',
    takes: ['rules', 'set', 'directory', 'service', 'backend', 'record', 'json'],
  },
} as const;

export type WatchForm = keyof typeof forms;

/** An option that would be ignored is refused: whoever wrote it expects something of it. @throws HeddleError ERR_OPTION_INVALID */
export function checkForm(form: WatchForm, flags: object): void {
  const takes: readonly string[] = [...forms[form].takes, form];
  const strange = Object.entries(flags).find(([name, value]) => value !== undefined && !takes.includes(name));
  if (strange === undefined) return;
  const [name] = strange;
  const others = (Object.keys(forms) as WatchForm[]).filter(
    (other) => other === name || (forms[other].takes as readonly string[]).includes(name),
  );
  const where = others.map((other) => forms[other].what).join(', ');
  throw new HeddleError(
    'ERR_OPTION_INVALID',
    `--${name} has no meaning with ${forms[form].what}; it goes with ${where}`,
    { source: 'config' },
  );
}
