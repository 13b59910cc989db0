import assert from 'node:assert/strict';
import { gateway, proxyProcess } from '../../e2e/support.ts';
import { upstream } from '../../mesh/support.ts';
import type { Check } from '../kit/check.ts';
import { execute, requireProgram } from '../kit/execute.ts';

export const check: Check = {
  what: 'wrk for three seconds without an error',
  async run(scope) {
    const wrk = requireProgram('wrk', 'apt-get install wrk');
    const { address } = await upstream(scope, (_request, response) => void response.end('ok'));
    const proxy = await proxyProcess(scope, gateway(address));
    const { code, stdout } = await execute(wrk, ['-t1', '-c32', '-d3s', `http://${proxy.address}/`]);
    const text = stdout.toString();
    assert.equal(code, 0);
    assert.doesNotMatch(text, /Non-2xx|Socket errors/);
    const requests = Number(/(\d+) requests in/.exec(text)?.[1] ?? 0);
    assert.ok(requests > 100, text);
    return `${requests} requests`;
  },
};
