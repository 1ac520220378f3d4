// The same function as a good Node engineer would write it for functions-framework: what the server
// needs is loaded at once, the rest begins to load while the server starts, and one thread runs the
// graph.
//
//   BUNDLE=../../../../model/ingredients npx functions-framework --target=classify
process.env.ORT_DISABLE_TELEMETRY ??= '1'; // as ours

const fs = require('node:fs');
const answers = require('./answers.js');

let loading;
const load = () => (loading ??= open());

async function open() {
  const { FILES, SESSION_OPTIONS } = answers;
  const [manifest, description] = await Promise.all(
    [FILES.manifest, FILES.tokenizer].map(async (file) =>
      JSON.parse(await fs.promises.readFile(file, 'utf8'))
    )
  );
  const ort = require('onnxruntime-node');
  const { Tokenizer } = require('@huggingface/tokenizers');
  const tokenizer = answers.openTokenizer(Tokenizer, description);
  const session = await ort.InferenceSession.create(FILES.graph, SESSION_OPTIONS);
  return { manifest, ort, tokenizer, session };
}

exports.classify = async (request, response) => {
  const texts = answers.textsOf(request.body);
  if (!texts) {
    response.status(400).json(answers.WRONG_BODY);
    return;
  }
  response.json({ predictions: await answer(texts) });
};

async function answer(texts) {
  const { manifest, ort, tokenizer, session } = await load();
  const rows = texts.map((text) => answers.encode(tokenizer, text, manifest));
  const inputs = answers.tensors(ort.Tensor, rows);
  const { [session.outputNames[0]]: logits } = await session.run(inputs);
  return answers.predictions(manifest.tasks, logits);
}
exports.answer = answer;

// EAGER=1 loads while the server starts; without it the first request loads.
if (process.env.EAGER) setImmediate(() => load().catch(() => (loading = undefined)));
