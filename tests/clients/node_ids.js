// The ids of texts, each list of texts by a tokenizer and with a limit of its own.
import { text } from 'node:stream/consumers';
import { cut } from '../../clients/js/encoding.js';
import { WordPiece } from '../../clients/js/tokenizer.js';

const lists = JSON.parse(await text(process.stdin));
const ids = lists.map(({ description, texts, maxTokens }) => {
  const tokenizer = new WordPiece(description);
  return texts.map((entry) => cut(tokenizer.encode(entry, maxTokens), maxTokens, 'head'));
});
process.stdout.write(JSON.stringify(ids));
