// What both peers do with a request: texts become rows of ids, and logits become labels.
//
// GRAPH and TOKENIZER are files that prepare.js made of BUNDLE's own, to be opened instead.
const path = require('node:path');

const { BUNDLE, GRAPH, TOKENIZER } = process.env;
const FILES = {
  manifest: path.join(BUNDLE, 'bundle.json'),
  tokenizer: TOKENIZER || path.join(BUNDLE, 'tokenizer.json'),
  graph: GRAPH || path.join(BUNDLE, 'model.onnx'),
};

// The texts of a parsed body; undefined if it has none.
function textsOf(body) {
  const inputs = body?.inputs;
  const texts = typeof inputs === 'string' ? [inputs] : inputs;
  const isList = Array.isArray(texts) && texts.length > 0;
  return isList && texts.every((text) => typeof text === 'string') ? texts : undefined;
}

const WRONG_BODY = { error: { message: 'Send {"inputs": "raw honey"}.' } };

const SESSION_OPTIONS = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  enableCpuMemArena: false,
  logSeverityLevel: 3,
  graphOptimizationLevel: GRAPH ? 'disabled' : 'all',
};

// A tokenizer of a parsed tokenizer.json. prepare.js writes the vocabulary as one string, in the
// order of the ids: of an object with 13,000 keys JSON.parse takes 6 ms and the tokenizer 8 more.
function openTokenizer(Tokenizer, description) {
  const { model } = description;
  if (typeof model.vocab !== 'string') return new Tokenizer(description, {});
  const ids = new Map();
  for (const token of model.vocab.split('\n')) ids.set(token, ids.size);
  model.vocab = {};
  const tokenizer = new Tokenizer(description, {});
  tokenizer.model.tokens_to_ids = ids;
  tokenizer.model.unk_token_id = ids.get(model.unk_token);
  return tokenizer;
}

// The ids of a text, cut to max_tokens, and the control id of every task.
function encode(tokenizer, text, { max_tokens: maxTokens, tasks }) {
  const { ids } = tokenizer.encode(text);
  const cut = ids.length > maxTokens ? [...ids.slice(0, maxTokens - 1), ids.at(-1)] : ids;
  return cut.concat(tasks.map((task) => task.control_id));
}

// The graph's two inputs; shorter rows are padded.
function tensors(Tensor, rows) {
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
    input_ids: new Tensor('int64', ids, dims),
    attention_mask: new Tensor('int64', mask, dims),
  };
}

// A prediction per row of the logits.
function predictions(tasks, { data, dims: [rows, width] }) {
  return Array.from({ length: rows }, (_, row) =>
    labels(tasks, data.subarray(row * width, (row + 1) * width))
  );
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

module.exports = {
  FILES,
  SESSION_OPTIONS,
  WRONG_BODY,
  encode,
  openTokenizer,
  predictions,
  tensors,
  textsOf,
};
