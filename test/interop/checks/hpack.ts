import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkStory, type Story } from '../../transport/codecs/http2/hpack-story.ts';
import { type Check, NotInstalled } from '../kit/check.ts';

const place =
  process.env['HPACK_TEST_CASE'] ??
  fileURLToPath(new URL('../../../node_modules/.cache/hpack-test-case', import.meta.url));

/** The whole corpus of http2jp/hpack-test-case: header blocks of all its encoders, decoded and encoded anew. */
export const check: Check = {
  what: 'the public HPACK corpora',
  async run() {
    if (!existsSync(join(place, 'nghttp2'))) {
      throw new NotInstalled(
        'hpack-test-case',
        `git clone https://github.com/http2jp/hpack-test-case ${place}, or name its folder in HPACK_TEST_CASE`,
      );
    }
    let stories = 0;
    let blocks = 0;
    for (const file of globSync('*/story_*.json', { cwd: place })) {
      const story = JSON.parse(readFileSync(join(place, file), 'utf8')) as Story;
      if (story.cases[0]?.wire === undefined) continue;
      assert.equal(checkStory(story), '', file);
      stories++;
      blocks += story.cases.length;
    }
    assert.ok(stories > 300, `only ${stories} stories in ${place}`);
    return `${blocks} header blocks of ${stories} stories`;
  },
};
