// The classifier in a page or a worker, with onnxruntime-web on WebAssembly.
import { BundleClassifier, open } from './classifier.js';
import { addressOf, fetched } from './files.js';

export { BundleError } from './bundle.js';

export class Classifier extends BundleClassifier {
  // Verify and load the bundle at an address, which may be relative to the page's. `runtime` is
  // onnxruntime-web's module where no import map or bundler says what `onnxruntime-web/wasm` is.
  static async load(location, { runtime } = {}) {
    const base = new URL(location, globalThis.document?.baseURI ?? globalThis.location.href);
    const read = (name) => fetched(addressOf(base, name));
    return new Classifier(await open(location, read, () => loadRuntime(runtime)));
  }
}

export async function loadRuntime(runtime) {
  const loaded = runtime ?? (await import('onnxruntime-web/wasm'));
  // More threads need an isolated page and gain nothing on short texts.
  loaded.env.wasm.numThreads ??= 1;
  return loaded;
}
