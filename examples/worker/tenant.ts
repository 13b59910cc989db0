/** A filter as a module: a mesh in a worker imports it there. See ../12-worker.ts. */
import type { StreamFilterDefinition } from '../../src/index.ts';
import { Verdict } from '../../src/index.ts';

interface TenantConfig {
  readonly byDefault: string;
}

const tenant: StreamFilterDefinition<TenantConfig> = {
  name: 'tenant',
  stage: 'beforeRoute',
  config: {
    '~standard': {
      version: 1,
      vendor: 'example',
      validate: (value) => ({ value: value as TenantConfig }),
    },
  },
  create: ({ byDefault }) => ({
    onRequestHead(s) {
      if (s.req.get('x-tenant') === 'ends the thread') process.exit(1);
      if (!s.req.has('x-tenant')) s.req.add('x-tenant', byDefault);
      return Verdict.continue;
    },
  }),
};

export default tenant;
