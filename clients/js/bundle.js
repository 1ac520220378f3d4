// A bundle's files, read and verified against the hashes in bundle.json.
import { HASHED, MANIFEST, manifestProblems } from './manifest.js';

// The files are not a usable bundle; the message names every one that is wrong.
export class BundleError extends Error {
  name = 'BundleError';

  constructor(location, ...problems) {
    super(`${location}: ${problems.join('; ')}`);
  }
}

// The manifest, the bundle's identity as in "ingredients@76bc6b687ca8", and the bytes of the other
// files by name. `read` resolves to the bytes of a file, or rejects with why there are none.
export async function readBundle(location, read) {
  const raw = await read(MANIFEST).catch((error) => {
    throw new BundleError(location, `${MANIFEST}: ${error.message}; is this a bundle?`);
  });
  const manifest = parsed(location, MANIFEST, raw);
  let problems = manifestProblems(manifest);
  if (problems.length) throw new BundleError(location, ...problems);
  const files = {};
  problems = await Promise.all(HASHED.map(async (name) => {
    try {
      files[name] = await read(name);
    } catch (error) {
      return `${name}: ${error.message}`;
    }
    return fileProblem(name, files[name], manifest.files[name]);
  }));
  problems = problems.filter((problem) => problem);
  if (problems.length) throw new BundleError(location, ...problems);
  const digest = (await sha256(raw)).slice(0, 12);
  return { manifest, identity: `${manifest.name}@${digest}`, files };
}

// The JSON that the bytes of a file hold; rejects what is none with a BundleError.
export function parsed(location, name, bytes) {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new BundleError(location, `${name}: not JSON (${error.message}); restore the file`);
  }
}

async function fileProblem(name, bytes, expected) {
  if (bytes.length !== expected.bytes) {
    return `${name}: ${bytes.length} bytes, ${MANIFEST} says ${expected.bytes}`;
  }
  if ((await sha256(bytes)) !== expected.sha256) {
    return `${name}: its sha256 is not the one in ${MANIFEST}; the file was altered`;
  }
  return '';
}

async function sha256(bytes) {
  const { subtle } = globalThis.crypto;
  if (!subtle) throw new Error('no crypto.subtle, which browsers have on https and localhost only');
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
