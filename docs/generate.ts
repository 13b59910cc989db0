/** `npm run generate`: writes the generated files of this folder. A test fails when they differ from what this makes. */
import { writeFileSync } from 'node:fs';
import { generatedFiles } from './generate/files.ts';

for (const [path, text] of Object.entries(generatedFiles())) {
  writeFileSync(path, text);
  console.log(path);
}
