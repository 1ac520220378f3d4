// Makes of a bundle what both peers open sooner: a graph that is optimized for this machine, its
// weights mapped from a file, and a tokenizer whose vocabulary is one string.
//
//   node prepare.js BUNDLE FOLDER
//
// Each mapped weight costs dozens of system calls, so the small ones stay in the graph.
const fs = require('node:fs');
const path = require('node:path');
const ort = require('onnxruntime-node');

const [bundle, folder] = process.argv.slice(2);
ort.InferenceSession.create(path.join(bundle, 'model.onnx'), {
  intraOpNumThreads: 1,
  graphOptimizationLevel: 'extended',
  optimizedModelFilePath: path.join(folder, 'model.onnx'),
  logSeverityLevel: 3,
  extra: {
    session: {
      optimized_model_external_initializers_file_name: 'weights.bin',
      optimized_model_external_initializers_min_size_in_bytes: '65536',
    },
  },
});

const description = JSON.parse(fs.readFileSync(path.join(bundle, 'tokenizer.json'), 'utf8'));
const tokens = [];
for (const [token, id] of Object.entries(description.model.vocab)) tokens[id] = token;
const text = tokens.join('\n');
if (text.split('\n').length !== Object.keys(description.model.vocab).length) {
  throw new Error('the ids of the vocabulary have gaps, or a token has a line break');
}
description.model.vocab = text;
fs.writeFileSync(path.join(folder, 'tokenizer.json'), JSON.stringify(description));
