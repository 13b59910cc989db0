import { HeddleError } from './core/base/errors.ts';

throw new HeddleError(
  'ERR_EXTENSION_NOT_BUILT',
  'heddle/register: use createMesh() and mesh.fetch() for now',
);
