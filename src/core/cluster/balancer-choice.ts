import { HeddleError } from '../base/errors.ts';
import type { Balancer } from '../contract/cluster.ts';
import type { ExtensionConfig, SchemaIssue } from '../contract/extension.ts';
import type { ClusterDependencies } from './settings.ts';

/** @throws HeddleError ERR_CONFIG_INVALID when no balancer has that name or its configuration is refused. */
export function createBalancer(
  cluster: string,
  chosen: ExtensionConfig,
  dependencies: ClusterDependencies,
): Balancer {
  const definition = dependencies.balancers.get(chosen.name);
  const where = `clusters.${cluster}.loadBalancer`;
  if (definition === undefined) {
    const known = [...dependencies.balancers.keys()].join(', ');
    throw new HeddleError('ERR_CONFIG_INVALID', `${where}: "${chosen.name}" is none of ${known}`);
  }
  const result = definition.config['~standard'].validate(chosen.config ?? {});
  if (result instanceof Promise) {
    throw new HeddleError('ERR_CONFIG_INVALID', `${where}: the schema of "${chosen.name}" is asynchronous`);
  }
  if (result.issues !== undefined) {
    throw new HeddleError(
      'ERR_CONFIG_INVALID',
      `${where}.config: ${result.issues.map(issueText).join('; ')}`,
    );
  }
  return definition.create(result.value, dependencies);
}

function issueText(issue: SchemaIssue): string {
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
  return path === '' ? issue.message : `${path}: ${issue.message}`;
}

/** Whether a reload chose the same balancer, so that the one that runs can stay. */
export function sameExtension(a: ExtensionConfig, b: ExtensionConfig): boolean {
  return a.name === b.name && JSON.stringify(a.config ?? {}) === JSON.stringify(b.config ?? {});
}
