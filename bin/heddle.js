#!/usr/bin/env node
// Plain JavaScript that any Node can read, so that an old one gets one line instead of a syntax error.
const needed = [22, 18];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  console.error(
    `[ERR_NODE_VERSION] heddle needs Node ${needed.join('.')} or newer, this is ${process.versions.node}`,
  );
  process.exit(1);
}
const { existsSync } = await import('node:fs');
const built = new URL('../dist/bin/cli.js', import.meta.url);
const source = new URL('./cli.ts', import.meta.url);
// A checkout runs its source; the package holds the built files only.
const { main } = await import((existsSync(source) ? source : built).href);
await main(process.argv);
