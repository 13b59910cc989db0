import type { AdminAnswer, Health } from '../../core/contract/state.ts';

/** What one worker answered. */
export interface WorkerAnswer {
  readonly worker: number;
  readonly answer: AdminAnswer;
}

type Merge = (answers: readonly WorkerAnswer[]) => AdminAnswer;
type Facts = Readonly<Record<string, unknown>>;

/** Sections whose answers become one; all others are shown worker by worker. */
const merges: Readonly<Record<string, Merge>> = {
  clusters: mergeClusters,
  health: mergeHealth,
  listeners: mergeListeners,
};

/** The answers of all workers as one. */
export function mergeAnswers(path: string, answers: readonly WorkerAnswer[]): AdminAnswer {
  const failed = answers.find(({ answer }) => (answer.status ?? 200) >= 400 && path !== 'health');
  if (failed !== undefined) return failed.answer;
  // Each worker said the same to the same registries: whoever asks is a program that expects one answer.
  if (path.startsWith('v1/registry/') && answers[0] !== undefined) return answers[0].answer;
  const merge = Object.hasOwn(merges, path) ? merges[path] : undefined;
  return (merge ?? oneByOne)(answers);
}

/** Once where all say the same, else under the name of each. */
function oneByOne(answers: readonly WorkerAnswer[]): AdminAnswer {
  const [first] = answers;
  const text = JSON.stringify(first?.answer.body);
  if (first !== undefined && answers.every(({ answer }) => JSON.stringify(answer.body) === text)) {
    return first.answer;
  }
  return { body: Object.fromEntries(answers.map(({ worker, answer }) => [`worker ${worker}`, answer.body])) };
}

/** Lists of named records, brought together by `key`, in the order of the first worker. */
function groups(lists: readonly (readonly Facts[])[], key: string): Facts[][] {
  const found = new Map<unknown, Facts[]>();
  for (const list of lists) {
    for (const each of list) {
      const known = found.get(each[key]);
      if (known === undefined) found.set(each[key], [each]);
      else known.push(each);
    }
  }
  return [...found.values()];
}

const bodies = (answers: readonly WorkerAnswer[]): readonly (readonly Facts[])[] =>
  answers.map(({ answer }) => answer.body as readonly Facts[]);

const numbers = (all: readonly Facts[], key: string): number[] => all.map((each) => Number(each[key] ?? 0));
const sum = (all: readonly Facts[], key: string): number => numbers(all, key).reduce((a, b) => a + b, 0);
const sums = (all: readonly Facts[], ...keys: string[]): Facts =>
  Object.fromEntries(keys.map((key) => [key, sum(all, key)]));
const largest = (all: readonly Facts[], ...keys: string[]): Facts =>
  Object.fromEntries(keys.map((key) => [key, Math.max(...numbers(all, key))]));

/** Counts are sums; of what each worker finds out for itself, the worst is shown. */
function mergeClusters(answers: readonly WorkerAnswer[]): AdminAnswer {
  const body = groups(bodies(answers), 'name').map((all) => ({
    ...all[0],
    ...largest(all, 'hosts', 'ejected', 'unhealthy'),
    available: Math.min(...numbers(all, 'available')),
    isPanic: all.some((each) => each['isPanic']),
    ...sums(all, 'connections', 'pending', 'requests', 'retries'),
    hostStats: groups(
      all.map((each) => each['hostStats'] as readonly Facts[]),
      'address',
    ).map(mergeHosts),
    health: worstOf(all.map((each) => each['health'] as Health)),
  }));
  return { body };
}

const hostRanks: readonly unknown[] = ['healthy', 'unhealthy', 'ejected'];

function mergeHosts(all: readonly Facts[]): Facts {
  const worst = all.reduce((a, b) =>
    hostRanks.indexOf(b['health']) > hostRanks.indexOf(a['health']) ? b : a,
  );
  return { ...worst, ...sums(all, 'active', 'ejections'), ...largest(all, 'ejectedForMs') };
}

const healthRanks: readonly Health['status'][] = ['ok', 'degraded', 'failed'];

function worstOf<Part extends { readonly status: Health['status'] }>(all: readonly Part[]): Part {
  return all.reduce((a, b) => (healthRanks.indexOf(b.status) > healthRanks.indexOf(a.status) ? b : a));
}

/** One line of `/health`. */
export interface HealthPart extends Health {
  readonly part: string;
}

interface HealthBody {
  readonly parts: readonly HealthPart[];
}

/** Each part as the worker sees it that sees it worst. */
function mergeHealth(answers: readonly WorkerAnswer[]): AdminAnswer {
  const lists = answers.map(({ answer }) => (answer.body as { parts: readonly Facts[] }).parts);
  const parts = groups(lists, 'part').map((all) => worstOf(all as unknown as HealthBody['parts']));
  return healthAnswer(parts);
}

/** 503 when a part has failed. */
export function healthAnswer(parts: HealthBody['parts']): AdminAnswer {
  const { status } = worstOf([{ status: 'ok' } as const, ...parts]);
  return { status: status === 'failed' ? 503 : 200, body: { status, parts } };
}

function mergeListeners(answers: readonly WorkerAnswer[]): AdminAnswer {
  const body = groups(bodies(answers), 'name').map((all) => {
    const counted = all[0] !== undefined && 'sessions' in all[0] ? 'sessions' : 'connections';
    return {
      ...all[0],
      [counted]: sum(all, counted),
      ...('isDraining' in (all[0] ?? {}) ? { isDraining: all.every((each) => each['isDraining']) } : {}),
      ofWorkers: numbers(all, counted),
    };
  });
  return { body };
}
