import assert from 'node:assert/strict';
import { gateway, proxyProcess } from '../../e2e/support.ts';
import { upstream } from '../../mesh/support.ts';
import type { Check } from '../kit/check.ts';
import { execute, requireProgram } from '../kit/execute.ts';

export const check: Check = {
  what: 'ab, HTTP/1.0 with and without keep-alive',
  async run(scope) {
    const ab = requireProgram('ab', 'apt-get install apache2-utils');
    const { address } = await upstream(scope, (_request, response) => void response.end('ok'));
    const proxy = await proxyProcess(scope, gateway(address));
    for (const keepAlive of [[], ['-k']]) {
      const { code, stdout, stderr } = await execute(ab, [
        ...keepAlive,
        '-n2000',
        '-c16',
        `http://${proxy.address}/`,
      ]);
      const text = stdout.toString();
      assert.equal(code, 0, stderr);
      assert.match(text, /Complete requests:\s+2000\n/);
      assert.match(text, /Failed requests:\s+0\n/);
      assert.doesNotMatch(text, /Non-2xx/);
      if (keepAlive.length > 0) assert.match(text, /Keep-Alive requests:\s+2000\n/);
    }
    return '4,000 requests';
  },
};
