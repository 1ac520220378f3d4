// The same function without a thought for its start: everything at the top, all defaults.
const path = require('node:path');
const fs = require('node:fs');
const ort = require('onnxruntime-node');
const { Tokenizer } = require('@huggingface/tokenizers');

const bundle = process.env.BUNDLE || path.join(__dirname, '../../../model/ingredients');
const read = (name) => JSON.parse(fs.readFileSync(path.join(bundle, name), 'utf8'));
const { tasks } = read('bundle.json');
const tokenizer = new Tokenizer(read('tokenizer.json'), {});
const opened = ort.InferenceSession.create(path.join(bundle, 'model.onnx'));

exports.classify = async (request, response) => {
  const session = await opened;
  const texts = [request.body.inputs].flat();
  const predictions = [];
  for (const text of texts) {
    const ids = [...tokenizer.encode(text).ids, ...tasks.map((task) => task.control_id)];
    const dims = [1, ids.length];
    const output = await session.run({
      input_ids: new ort.Tensor('int64', BigInt64Array.from(ids.map(BigInt)), dims),
      attention_mask: new ort.Tensor('int64', BigInt64Array.from(ids.map(() => 1n)), dims),
    });
    const logits = Array.from(output[session.outputNames[0]].data);
    const prediction = {};
    let start = 0;
    for (const task of tasks) {
      const scaled = logits.slice(start, start + task.labels.length).map((x) => x / task.temperature);
      start += task.labels.length;
      const sum = scaled.reduce((total, value) => total + Math.exp(value), 0);
      const scores = scaled.map((x) =>
        task.kind === 'single' ? Math.exp(x) / sum : 1 / (1 + Math.exp(-x))
      );
      const ranked = task.labels
        .map((label, index) => ({ label, score: scores[index], index }))
        .sort((a, b) => b.score - a.score);
      prediction[task.name] = (
        task.kind === 'single'
          ? ranked.slice(0, 1)
          : ranked.filter((entry) => entry.score >= task.thresholds[entry.index])
      ).map(({ label, score }) => ({ label, score }));
    }
    predictions.push(prediction);
  }
  response.json({ predictions });
};
