// The same function as a good Node engineer would write it: what the server needs is loaded at
// once, the rest begins to load while the server starts, and one thread runs the graph.
//
//   BUNDLE=../../../model/ingredients npx functions-framework --target=classify
//
// With GRAPH=file it opens that graph, which prepare.js optimized before, instead of the bundle's.
process.env.ORT_DISABLE_TELEMETRY ??= '1'; // as ours

const fs = require('node:fs');
const path = require('node:path');

const bundle = process.env.BUNDLE || path.join(__dirname, '../../../model/ingredients');

let loading;
const load = () => (loading ??= open());

async function open() {
  const [manifest, tokenizerJson] = await Promise.all(
    ['bundle.json', 'tokenizer.json'].map(async (name) =>
      JSON.parse(await fs.promises.readFile(path.join(bundle, name), 'utf8'))
    )
  );
  const ort = require('onnxruntime-node');
  const { Tokenizer } = require('@huggingface/tokenizers');
  const tokenizer = new Tokenizer(tokenizerJson, {});
  const session = await ort.InferenceSession.create(
    process.env.GRAPH || path.join(bundle, 'model.onnx'),
    {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      enableCpuMemArena: false,
      graphOptimizationLevel: process.env.GRAPH ? 'disabled' : 'all',
      logSeverityLevel: 3,
    }
  );
  return { manifest, ort, tokenizer, session };
}

exports.classify = async (request, response) => {
  const inputs = request.body?.inputs;
  const texts = typeof inputs === 'string' ? [inputs] : inputs;
  if (!Array.isArray(texts) || !texts.length || !texts.every((text) => typeof text === 'string')) {
    response.status(400).json({ error: { message: 'Send {"inputs": "raw honey"}.' } });
    return;
  }
  response.json({ predictions: await answer(texts) });
};

async function answer(texts) {
  const { manifest, ort, tokenizer, session } = await load();
  const rows = texts.map((text) => encode(tokenizer, text, manifest));
  const { [session.outputNames[0]]: logits } = await session.run(tensors(ort, rows));
  const width = logits.dims[1];
  return rows.map((_, row) =>
    labels(manifest.tasks, logits.data.subarray(row * width, (row + 1) * width))
  );
}
exports.answer = answer;

function encode(tokenizer, text, { max_tokens: maxTokens, tasks }) {
  const { ids } = tokenizer.encode(text);
  const cut = ids.length > maxTokens ? [...ids.slice(0, maxTokens - 1), ids.at(-1)] : ids;
  return cut.concat(tasks.map((task) => task.control_id));
}

function tensors(ort, rows) {
  const width = Math.max(...rows.map((row) => row.length));
  const dims = [rows.length, width];
  const ids = new BigInt64Array(rows.length * width);
  const mask = new BigInt64Array(rows.length * width);
  rows.forEach((row, index) => {
    row.forEach((id, column) => {
      ids[index * width + column] = BigInt(id);
      mask[index * width + column] = 1n;
    });
  });
  return {
    input_ids: new ort.Tensor('int64', ids, dims),
    attention_mask: new ort.Tensor('int64', mask, dims),
  };
}

function labels(tasks, logits) {
  const prediction = {};
  let start = 0;
  for (const { name, kind, labels: names, temperature, thresholds } of tasks) {
    const scaled = Array.from(
      logits.subarray(start, start + names.length),
      (logit) => logit / temperature
    );
    start += names.length;
    const scores = kind === 'single' ? softmax(scaled) : scaled.map((x) => 1 / (1 + Math.exp(-x)));
    const ranked = names
      .map((label, index) => ({ label, score: scores[index], threshold: thresholds?.[index] }))
      .sort((a, b) => b.score - a.score);
    const chosen =
      kind === 'single' ? ranked.slice(0, 1) : ranked.filter((x) => x.score >= x.threshold);
    prediction[name] = chosen.map(({ label, score }) => ({ label, score }));
  }
  return prediction;
}

function softmax(values) {
  const highest = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

// EAGER=1 loads while the server starts; without it the first request loads.
if (process.env.EAGER) setImmediate(() => load().catch(() => (loading = undefined)));
