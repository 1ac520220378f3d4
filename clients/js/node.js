// The classifier in Node, with onnxruntime-node.
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { BundleClassifier, open } from './classifier.js';
import { addressOf, fetched } from './files.js';

export { BundleError } from './bundle.js';

export class Classifier extends BundleClassifier {
  // Verify and load the bundle in a folder, or at a file: or http(s): address.
  static async load(location) {
    const isAddress = location instanceof URL || /^(file|https?):/.test(location);
    const base = isAddress ? new URL(location) : pathToFileURL(location);
    const bytes = base.protocol === 'file:' ? readFile : fetched;
    const read = (name) => bytes(addressOf(base, name));
    return new Classifier(await open(location, read, loadRuntime));
  }
}

export async function loadRuntime() {
  process.env.ORT_DISABLE_TELEMETRY ??= '1'; // on by default on Linux
  return (await import('onnxruntime-node')).default;
}
