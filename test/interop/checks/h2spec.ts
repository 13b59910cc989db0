import assert from 'node:assert/strict';
import { gateway, proxyProcess } from '../../e2e/support.ts';
import { upstream } from '../../mesh/support.ts';
import type { Check } from '../kit/check.ts';
import { execute, requireProgram } from '../kit/execute.ts';

/** All cases of h2spec, the optional ones (-S) included, against a listener of HTTP/2. */
export const check: Check = {
  what: 'h2spec, every case',
  async run(scope) {
    const h2spec = requireProgram(
      'h2spec',
      'go install github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible, and put "$(go env GOPATH)/bin" on PATH',
    );
    const { address } = await upstream(scope, (request, response) => {
      request.resume().on('end', () => void response.end('an answer with some bytes'));
    });
    const proxy = await proxyProcess(scope, gateway(address, { codec: 'http2' }));
    const [host = '', port = ''] = proxy.address.split(':');
    const { stdout } = await execute(h2spec, ['-h', host, '-p', port, '-o', '5', '-S']);
    const text = stdout.toString();
    const [, all, passed] = /(\d+) tests, (\d+) passed, \d+ skipped, \d+ failed/.exec(text) ?? [];
    assert.ok(Number(all) >= 145, text.slice(-2000));
    assert.equal(passed, all, text.slice(-8000));
    return `${passed} of ${all} cases`;
  },
};
