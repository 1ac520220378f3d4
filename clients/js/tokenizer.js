// Texts to ids as the `tokenizers` library makes them: BertNormalizer, BertPreTokenizer, WordPiece,
// and the ids that the post-processor puts around a text.
import { CHINESE_CHARACTERS, CONTROLS, NONSPACING_MARKS, SPACES, WORDS } from './unicode.js';

export class WordPiece {
  #vocabulary;
  #unknown;
  #prefix;
  #longestWord;
  #normalizer;
  #before;
  #after;

  // Of a parsed tokenizer.json; throws an Error that names what is not supported.
  constructor(description) {
    const problems = tokenizerProblems(description);
    if (problems.length) throw new Error(problems.join('; '));
    const { normalizer, model, post_processor: processor } = description;
    this.#normalizer = normalizer;
    this.#vocabulary = new Map(Object.entries(model.vocab));
    this.#unknown = this.#vocabulary.get(model.unk_token);
    this.#prefix = model.continuing_subword_prefix;
    this.#longestWord = model.max_input_chars_per_word;
    [this.#before, this.#after] = around(processor);
  }

  get size() {
    return this.#vocabulary.size;
  }

  // `[CLS] text [SEP]`. Of a text that has more than `maxTokens` only a beginning, which has more,
  // too. No word goes over a blank, so a text is read from blank to blank.
  encode(text, maxTokens = Infinity) {
    const ids = [...this.#before];
    const valid = text.replace(/\p{Cs}/gu, '\ufffd'); // half of a surrogate pair
    for (let start = 0; start < valid.length && ids.length <= maxTokens;) {
      const blank = valid.indexOf(' ', start);
      const end = blank < 0 ? valid.length : blank;
      for (const word of this.#words(valid.slice(start, end))) {
        if (ids.length > maxTokens) break;
        for (const id of this.#pieces(word)) ids.push(id);
      }
      start = end + 1;
    }
    return [...ids, ...this.#after];
  }

  #words(stretch) {
    const { clean_text: cleans, handle_chinese_chars: parts, lowercase } = this.#normalizer;
    const strips = this.#normalizer.strip_accents ?? lowercase;
    let text = stretch;
    if (cleans) text = text.replace(CONTROLS, '').replace(SPACES, ' ');
    if (parts) text = text.replace(CHINESE_CHARACTERS, ' $& ');
    if (strips) text = text.normalize('NFD').replace(NONSPACING_MARKS, '');
    // JavaScript knows that a sigma ends a word, tokenizers does not.
    if (lowercase) text = text.replaceAll('Σ', 'σ').toLowerCase();
    return text.match(WORDS) ?? [];
  }

  // Ids of a word: each time the longest piece there is.
  #pieces(word) {
    const characters = [...word];
    if (characters.length > this.#longestWord) return [this.#unknown];
    const ids = [];
    for (let start = 0, end; start < characters.length; start = end) {
      let id;
      for (end = characters.length; end > start; end--) {
        const piece = characters.slice(start, end).join('');
        id = this.#vocabulary.get(start ? this.#prefix + piece : piece);
        if (id !== undefined) break;
      }
      if (id === undefined) return [this.#unknown];
      ids.push(id);
    }
    return ids;
  }
}

const SUPPORTED = {
  model: ['WordPiece'],
  normalizer: ['BertNormalizer'],
  pre_tokenizer: ['BertPreTokenizer'],
  post_processor: ['TemplateProcessing', 'BertProcessing'],
};

function tokenizerProblems(description) {
  const problems = [];
  for (const [part, types] of Object.entries(SUPPORTED)) {
    const type = description?.[part]?.type;
    if (!types.includes(type)) {
      problems.push(`its ${part} is ${type ?? 'none'}, supported: ${types.join(', ')}`);
    }
  }
  if (problems.length) return problems;
  if (description.added_tokens?.length) problems.push('has added tokens; export it without');
  if (description.truncation || description.padding) {
    problems.push('truncates or pads; export it without');
  }
  const { vocab, unk_token: unknown } = description.model;
  if (!Object.hasOwn(vocab, unknown)) problems.push(`has no ${unknown} in its vocabulary`);
  return problems;
}

// The ids before and after a text.
function around(processor) {
  if (processor.type === 'BertProcessing') return [[processor.cls[1]], [processor.sep[1]]];
  const place = processor.single.findIndex((entry) => 'Sequence' in entry);
  const ids = (entries) =>
    entries.flatMap(({ SpecialToken: { id } }) => processor.special_tokens[id].ids);
  return [ids(processor.single.slice(0, place)), ids(processor.single.slice(place + 1))];
}
