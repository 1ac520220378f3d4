// Rows of ids to the graph's two inputs.

// Indices of rows of like length, the shortest first, within both limits. A row longer than
// `maxPaddedTokens` gets a chunk to itself. The chunks are those of model/encoding.py.
export function* chunks(lengths, maxRows, maxPaddedTokens) {
  let chunk = [];
  for (const index of [...lengths.keys()].sort((a, b) => lengths[a] - lengths[b])) {
    const padded = (chunk.length + 1) * lengths[index];
    if (chunk.length && (chunk.length === maxRows || padded > maxPaddedTokens)) {
      yield chunk;
      chunk = [];
    }
    chunk.push(index);
  }
  if (chunk.length) yield chunk;
}

// `[CLS] text [SEP]` of at most `maxTokens`. Both marks stay; of the tokens between them those that
// the bundle's `long_texts` says, as `unread` in model/encoding.py.
export function cut(ids, maxTokens, longTexts) {
  if (ids.length <= maxTokens) return ids;
  const inner = maxTokens - 2;
  const first = { head: inner, tail: 0, head_tail: Math.floor(inner / 2) }[longTexts];
  const beginning = ids.slice(0, 1 + first);
  return [...beginning, ...ids.slice(ids.length - 1 - (inner - first))];
}

// Tensors [rows, tokens] for rows of ids: ids, control ids, padding of 0.
export function graphInputs(Tensor, rows, controlIds) {
  const width = Math.max(...rows.map((row) => row.length)) + controlIds.length;
  const dims = [rows.length, width];
  const ids = new BigInt64Array(rows.length * width);
  const mask = new BigInt64Array(rows.length * width);
  rows.forEach((row, index) => {
    const used = [...row, ...controlIds];
    ids.set(used.map(BigInt), index * width);
    mask.fill(1n, index * width, index * width + used.length);
  });
  return {
    input_ids: new Tensor('int64', ids, dims),
    attention_mask: new Tensor('int64', mask, dims),
  };
}
