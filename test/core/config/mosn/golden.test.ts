import { readFileSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { stringify } from 'yaml';
import { load } from './support.ts';

const folder = 'test/golden/mosn';
/** Writes the files anew: HEDDLE_UPDATE_GOLDEN=1 npx ava test/core/config/mosn/golden.test.ts */
const isUpdate = process.env['HEDDLE_UPDATE_GOLDEN'] === '1';

for (const name of ['bolt-client', 'bolt-server', 'http', 'layer4']) {
  test(`${name}.json becomes ${name}.heddle.yaml`, (t) => {
    // With TLS switched on the file is refused, and what Auto means depends on the codecs of the build.
    const text = readFileSync(`${folder}/${name}.json`, 'utf8')
      .replaceAll('"status": true', '"status": false')
      .replace('"Auto"', '"Http1,bolt"');
    const { input, problems } = load(text, { absolutePath: (path) => path });
    t.deepEqual(problems, []);
    const made = stringify(input, { aliasDuplicateObjects: false });
    const file = `${folder}/${name}.heddle.yaml`;
    if (isUpdate) writeFileSync(file, made);
    t.is(made, readFileSync(file, 'utf8'));
  });
}
