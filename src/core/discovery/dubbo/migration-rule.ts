import { messageOf } from '../../base/errors.ts';
import { loadYaml } from '../../base/yaml.ts';
import { isRecord } from './metadata-info.ts';
import type { ServiceName } from './service-name.ts';

export const migrationSteps = ['FORCE_INTERFACE', 'APPLICATION_FIRST', 'FORCE_APPLICATION'] as const;
type MigrationStep = (typeof migrationSteps)[number];

/** How one service moves from the interface-level list to the application-level one. */
export interface MigrationStance {
  readonly step: MigrationStep;
  /** The new list must have at least this share of the hosts of the old one; negative = any. */
  readonly threshold: number;
  /** Per cent of the calls that go by the application-level list, under APPLICATION_FIRST. */
  readonly proportion: number;
  /** Between a FORCE step and the look whether the threshold holds. */
  readonly delayMs: number;
  /** A FORCE step is taken whatever the threshold says. */
  readonly force: boolean;
}

/** Dubbo's defaults. */
export const usualStance: MigrationStance = {
  step: 'APPLICATION_FIRST',
  threshold: 0,
  proportion: 100,
  delayMs: 0,
  force: false,
};

/** A rule as it stands in a configuration centre. */
export interface MigrationRule {
  /** For one service. @param applications those that provide it, as far as that is known */
  stanceOf(service: ServiceName, applications: readonly string[]): MigrationStance;
}

const maxLength = 1024 * 1024;

/**
 * Reads Dubbo's migration rule (YAML): what stands for an interface counts before what stands for an application, that
 * before what stands for all, that before `usual`.
 * @returns a text that says what is wrong with it
 */
export function parseMigrationRule(text: string, usual: MigrationStance): MigrationRule | string {
  if (text.length > maxLength) return `a rule of ${text.length} characters`;
  let document: unknown;
  try {
    document = loadYaml().parse(text, { maxAliasCount: 100, logLevel: 'error' });
  } catch (thrown) {
    return messageOf(thrown).split('\n', 1)[0] as string;
  }
  if (!isRecord(document)) return 'a migration rule must be a map';
  const problems: string[] = [];
  const general = readStance(document, usual, problems, '');
  const interfaces = readEntries(document['interfaces'], general, problems, 'interfaces');
  const applications = readEntries(document['applications'], general, problems, 'applications');
  if (problems.length > 0) return problems.slice(0, 3).join('; ');
  return {
    stanceOf: (service, providers) =>
      keysOf(service)
        .map((key) => interfaces.get(key))
        .find((each) => each !== undefined) ??
      applications.get([...providers].sort().join(',')) ??
      providers.map((name) => applications.get(name)).find((each) => each !== undefined) ??
      general,
  };
}

/** Dubbo's display key first, then shorter and longer forms. */
function keysOf({ group, interfaceName, version }: ServiceName): string[] {
  const key = version === '' ? interfaceName : `${interfaceName}:${version}`;
  return [key, `${group}/${key}`, interfaceName];
}

function readEntries(
  given: unknown,
  usual: MigrationStance,
  problems: string[],
  where: string,
): Map<string, MigrationStance> {
  const entries = new Map<string, MigrationStance>();
  if (given === undefined || given === null) return entries;
  if (!Array.isArray(given)) {
    problems.push(`${where} must be a list`);
    return entries;
  }
  for (const [index, each] of given.entries()) {
    const key = isRecord(each) ? (each['serviceKey'] ?? each['appName']) : undefined;
    if (!isRecord(each) || typeof key !== 'string') problems.push(`${where}[${index}] needs a serviceKey`);
    else entries.set(key, readStance(each, usual, problems, `${where}[${index}].`));
  }
  return entries;
}

function readStance(
  given: Readonly<Record<string, unknown>>,
  usual: MigrationStance,
  problems: string[],
  where: string,
): MigrationStance {
  const number = (key: string, min: number, max: number, fallback: number): number => {
    const value = given[key];
    if (value === undefined || value === null) return fallback;
    if (typeof value === 'number' && value >= min && value <= max) return value;
    problems.push(`${where}${key} must be a number from ${min} to ${max}, not ${JSON.stringify(value)}`);
    return fallback;
  };
  const step = given['step'] ?? usual.step;
  const known = migrationSteps.find((each) => each === step);
  if (known === undefined) {
    problems.push(`${where}step must be one of ${migrationSteps.join(', ')}, not ${JSON.stringify(step)}`);
  }
  return {
    step: known ?? usual.step,
    threshold: number('threshold', -1, 1000, usual.threshold),
    proportion: number('proportion', 0, 100, usual.proportion),
    delayMs: number('delay', 0, 86_400, usual.delayMs / 1000) * 1000,
    force: typeof given['force'] === 'boolean' ? given['force'] : usual.force,
  };
}
