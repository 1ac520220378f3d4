// Answers from a worker, where there is no import map.
import { Classifier } from '/clients/js/browser.js';
import * as runtime from '/clients/js/node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs';

onmessage = async ({ data: { bundle, texts } }) => {
  const classifier = await Classifier.load(bundle, { runtime });
  postMessage(await classifier.predictDetailed(texts));
};
