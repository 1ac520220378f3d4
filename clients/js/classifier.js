// A bundle that answers: tokenizer, graph and softmax behind one `predict`, as model/classifier.py.
import { headsOf, predictionOf } from './answers.js';
import { BundleError, parsed, readBundle } from './bundle.js';
import { chunks, cut, graphInputs } from './encoding.js';
import { HEAD, MANIFEST, MODEL, TOKENIZER } from './manifest.js';
import { checkTexts, requestOf } from './request.js';
import { WordPiece } from './tokenizer.js';

const WINDOW_TEXTS = 2048; // held as ids at once; chunks of like length are made inside a window
const CHUNK_ROWS = 128;
const CHUNK_PADDED_TOKENS = 128; // of one run of the graph: it bounds the memory of activations
const SESSION_OPTIONS = { intraOpNumThreads: 1, enableCpuMemArena: false, logSeverityLevel: 3 };

export class BundleClassifier {
  #manifest;
  #heads;
  #tokenizer;
  #session;
  #Tensor;

  // Of what `open` resolves to.
  constructor({ manifest, identity, tokenizer, session, Tensor }) {
    this.identity = identity;
    this.#manifest = manifest;
    this.#heads = headsOf(manifest.tasks);
    this.#tokenizer = tokenizer;
    this.#session = session;
    this.#Tensor = Tensor;
  }

  // The tasks of bundle.json.
  get tasks() {
    return this.#manifest.tasks;
  }

  // The answers to each text, by task, in the order of `tasks`.
  async predict(texts, options = {}) {
    return (await this.predictDetailed(texts, options)).predictions;
  }

  // As `predict`, and the indices of the texts that were cut, and how many tokens were run.
  async predictDetailed(texts, options = {}) {
    checkTexts(texts);
    const { heads, topK, minScore } = requestOf(this.#heads, options);
    const detailed = { predictions: [], truncated: [], tokens: 0 };
    for (let start = 0; start < texts.length; start += WINDOW_TEXTS) {
      const rows = texts.slice(start, start + WINDOW_TEXTS).map((text, index) => {
        const { ids, isCut } = this.#row(text);
        if (isCut) detailed.truncated.push(start + index);
        detailed.tokens += ids.length;
        return ids;
      });
      for (const logits of await this.#run(rows, heads)) {
        detailed.predictions.push(predictionOf(heads, logits, topK, minScore));
      }
    }
    return detailed;
  }

  // Frees the memory of the graph; the classifier answers no more.
  async release() {
    await this.#session.release();
  }

  #row(text) {
    const { max_tokens: maxTokens, long_texts: longTexts = HEAD } = this.#manifest;
    const ids = this.#tokenizer.encode(text, longTexts === HEAD ? maxTokens : Infinity);
    return { ids: cut(ids, maxTokens, longTexts), isCut: ids.length > maxTokens };
  }

  // Float32 logits of each row: the labels of all tasks. Columns of other heads mean nothing.
  async #run(rows, heads) {
    const controlIds = heads.map((head) => head.control_id);
    const lengths = rows.map((row) => row.length + controlIds.length);
    const logits = [];
    for (const chunk of chunks(lengths, CHUNK_ROWS, CHUNK_PADDED_TOKENS)) {
      const inputs = graphInputs(this.#Tensor, chunk.map((index) => rows[index]), controlIds);
      const outputs = await this.#session.run(inputs);
      const { data, dims: [, width] } = outputs[this.#session.outputNames[0]];
      chunk.forEach((index, place) => {
        logits[index] = data.subarray(place * width, (place + 1) * width);
      });
    }
    return logits;
  }
}

// What a classifier is made of. `read` resolves to the bytes of a bundle's file, `loadRuntime` to
// onnxruntime's module. Rejects with a BundleError what is no usable bundle.
export async function open(location, read, loadRuntime) {
  const { manifest, identity, files } = await readBundle(location, read);
  const tokenizer = openTokenizer(location, manifest, files[TOKENIZER]);
  const { InferenceSession, Tensor } = await loadRuntime();
  const session = await InferenceSession.create(files[MODEL], SESSION_OPTIONS).catch((error) => {
    throw new BundleError(location, `${MODEL}: cannot be opened: ${error.message}`);
  });
  const labels = headsOf(manifest.tasks).at(-1).end;
  const columns = session.outputMetadata[0].shape.at(-1);
  if (columns !== labels) {
    const problem = `${MODEL}: gives ${columns} logits, ${MANIFEST} names ${labels} labels`;
    throw new BundleError(location, problem);
  }
  return { manifest, identity, tokenizer, session, Tensor };
}

function openTokenizer(location, { tasks }, bytes) {
  const description = parsed(location, TOKENIZER, bytes);
  let tokenizer;
  try {
    tokenizer = new WordPiece(description);
  } catch (error) {
    throw new BundleError(location, `${TOKENIZER}: ${error.message}`);
  }
  const first = Math.min(...tasks.map((task) => task.control_id));
  if (tokenizer.size > first) {
    const problem = `${TOKENIZER}: has ${tokenizer.size} ids, ${MANIFEST} gives ${first} to a task`;
    throw new BundleError(location, problem);
  }
  return tokenizer;
}
