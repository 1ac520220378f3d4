// The files of a bundle, by their addresses.

// The address of a file in the folder at `base`, which may or may not end with a slash.
export function addressOf(base, name) {
  const folder = new URL(base);
  if (!folder.pathname.endsWith('/')) folder.pathname += '/';
  return new URL(name, folder);
}

// The bytes at an http(s): address; rejects with what the server said.
export async function fetched(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status} ${response.statusText} at ${url}`);
  return new Uint8Array(await response.arrayBuffer());
}
