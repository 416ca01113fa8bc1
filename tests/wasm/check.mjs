// Compares the digests of the wasm module with those of the native program.
//
//     node tests/wasm/check.mjs MODULE.wasm PROGRAM
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const [module, program] = process.argv.slice(2);
const { instance } = await WebAssembly.instantiate(readFileSync(module), {});
const { memory, buffer, digest_of_file, digest_of_seed, reproduces } = instance.exports;

const hex = (value) => BigInt.asUintN(64, value).toString(16).padStart(16, '0');
const native = (...args) => {
  const text = execFileSync(program, ['-q', ...args, '--format', 'json'], { encoding: 'utf8', maxBuffer: 1 << 26 });
  return JSON.parse(text).runs[0].digest;
};
const handed = (file) => {
  const bytes = readFileSync(file);
  const at = buffer(bytes.length);
  new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
  return [at, bytes.length];
};
const inWasm = (file, seed) => hex(digest_of_file(...handed(file), BigInt(seed)));
const files = (folder) => readdirSync(folder).sort().flatMap((name) => {
  const path = join(folder, name);
  // A panic ends the module, and some planted bugs are panics.
  if (statSync(path).isDirectory()) return name === 'mutations' ? [] : files(path);
  return name.endsWith('.json') && !name.endsWith('.schema.json') ? [path] : [];
});

let [passed, failed] = [0, 0];
const compare = (what, wasm, nativeDigest) => {
  if (wasm === nativeDigest) { passed += 1; return; }
  failed += 1;
  console.log(`${what}: wasm ${wasm}, native ${nativeDigest}`);
};
for (const file of files('scenarios')) {
  for (const seed of [0, 1, 2]) compare(`${file} ${seed}`, inWasm(file, seed), native('run', file, '--seed', `${seed}`));
}
for (let seed = 0; seed < 50; seed += 1) compare(`fuzz ${seed}`, hex(digest_of_seed(BigInt(seed))), native('replay', `${seed}`));
// That the native programs have them again is asked by `regress`.
const capsules = files('tests/capsules');
if (capsules.length === 0) { console.log('there are no capsules'); failed += 1; }
for (const file of capsules) compare(file, reproduces(...handed(file)) ? 'reproduced' : 'another run', 'reproduced');
console.log(`wasm: ${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
