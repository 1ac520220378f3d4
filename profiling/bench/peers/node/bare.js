// The same function at the best start that Node gives: bare node:http, all code in one file made by
// esbuild and cached compiled, and the native binding called without the package around it.
//
//   BUNDLE=dir PORT=8080 NODE_COMPILE_CACHE=built/code-cache node built/bare.js
//
// What each choice is worth is in profiling/LOG.md.
process.env.ORT_DISABLE_TELEMETRY ??= '1'; // as ours

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { Tokenizer } = require('@huggingface/tokenizers');
const answers = require('./answers.js');

const { PORT = '8080', HOST = '127.0.0.1' } = process.env;
const MOST_BYTES = 2 ** 20;
const IDLE_MS = 650_000; // longer than a load balancer keeps a connection
const ERRORS = 3; // log level

// What the binding reads of a tensor, and what it makes of its outputs.
class Tensor {
  constructor(type, data, dims) {
    this.type = type;
    this.data = data;
    this.dims = dims;
    this.location = 'cpu';
  }
}

function openSession() {
  const folder = `../node_modules/onnxruntime-node/bin/napi-v6/${process.platform}/${process.arch}`;
  const addon = { exports: {} };
  process.dlopen(addon, path.join(__dirname, folder, 'onnxruntime_binding.node'));
  addon.exports.initOrtOnce(ERRORS, Tensor, true);
  const session = new addon.exports.InferenceSession();
  session.loadModel(answers.FILES.graph, answers.SESSION_OPTIONS);
  return session;
}

function readJson(file) {
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

let loaded;
function load() {
  const session = openSession();
  const tokenizer = answers.openTokenizer(Tokenizer, readJson(answers.FILES.tokenizer));
  const [{ name: output }] = session.outputMetadata;
  loaded = { session, tokenizer, output, manifest: readJson(answers.FILES.manifest) };
}

function answer(texts) {
  const { session, tokenizer, output, manifest } = loaded;
  const rows = texts.map((text) => answers.encode(tokenizer, text, manifest));
  const { [output]: logits } = session.run(answers.tensors(Tensor, rows), { [output]: null }, {});
  return answers.predictions(manifest.tasks, logits);
}

function handle(request, response) {
  const chunks = [];
  let size = 0;
  request.on('data', (chunk) => {
    size += chunk.length;
    if (size <= MOST_BYTES) chunks.push(chunk);
  });
  request.on('end', () => {
    const texts = size <= MOST_BYTES ? answers.textsOf(parse(chunks)) : undefined;
    const reply = JSON.stringify(texts ? { predictions: answer(texts) } : answers.WRONG_BODY);
    response.writeHead(texts ? 200 : 400, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': Buffer.byteLength(reply),
    });
    response.end(reply);
  });
}

function parse(chunks) {
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    return undefined;
  }
}

// A client that connects while it loads waits for its answer, and need not try again.
const server = http.createServer({ keepAliveTimeout: IDLE_MS }, handle);
server.listen(Number(PORT), HOST, load);
process.once('SIGTERM', () => server.close(() => process.exit(0)));
