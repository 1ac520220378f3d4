// How long does an answer to one text take, warm, by onnxruntime-node and in WebAssembly?
//
//   node clients/js/timing.js BUNDLE TEXT RUNS
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { loadRuntime as loadWebAssembly } from './browser.js';
import { BundleClassifier, open } from './classifier.js';
import { loadRuntime as loadNative } from './node.js';

const RUNTIMES = { 'onnxruntime-node': loadNative, 'onnxruntime-web': loadWebAssembly };
const WARM_UP_RUNS = 200; // until V8 has compiled all of the WebAssembly with its better compiler

const [bundle, text = 'raw honey', runs = '500'] = process.argv.slice(2);
for (const [name, loadRuntime] of Object.entries(RUNTIMES)) {
  const read = (file) => readFile(path.join(bundle, file));
  const classifier = new BundleClassifier(await open(bundle, read, loadRuntime));
  await times(WARM_UP_RUNS, classifier);
  const milliseconds = (await times(Number(runs), classifier)).sort((a, b) => a - b);
  const [median, p95] = [0.5, 0.95].map((share) => milliseconds[Math.floor(share * runs)]);
  console.log(`${name}: median ${median.toFixed(2)} ms, p95 ${p95.toFixed(2)} ms`);
  await classifier.release();
}

async function times(count, classifier) {
  const milliseconds = [];
  for (let run = 0; run < count; run++) {
    const start = performance.now();
    await classifier.predict([text]);
    milliseconds.push(performance.now() - start);
  }
  return milliseconds;
}
