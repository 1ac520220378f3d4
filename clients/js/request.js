// What `predict` is called with, checked; every error says what to send instead.

const OPTIONS = ['tasks', 'topK', 'minScore'];

// Throws a TypeError unless `texts` is a list of strings.
export function checkTexts(texts) {
  if (typeof texts === 'string') throw new TypeError('texts is one string; send a list of strings');
  if (!Array.isArray(texts)) {
    throw new TypeError(`texts is ${shown(texts)}; send a list of strings`);
  }
  const index = texts.findIndex((text) => typeof text !== 'string');
  if (index >= 0) {
    throw new TypeError(`texts[${index}] is ${shown(texts[index])}; send a list of strings`);
  }
}

// The options with their defaults; `heads` are those of the tasks to answer, in their order.
// Throws a TypeError, or a RangeError for a task that the bundle does not know.
export function requestOf(heads, options) {
  if (!isObject(options)) {
    const names = OPTIONS.join(', ');
    throw new TypeError(`options is ${shown(options)}; send an object with some of: ${names}`);
  }
  const { tasks, topK = 1, minScore = {}, ...others } = options;
  const byName = new Map(heads.map((head) => [head.name, head]));
  const known = [...byName.keys()].join(', ');
  const [other] = Object.keys(others);
  if (other !== undefined) {
    throw new TypeError(`unknown option ${other}; there are ${OPTIONS.join(', ')}`);
  }
  if (!Number.isSafeInteger(topK) || topK < 1) {
    throw new RangeError(`topK is ${shown(topK)}; ask for 1 label or more`);
  }
  if (tasks !== undefined && !(Array.isArray(tasks) && tasks.length)) {
    throw new TypeError(`tasks is ${shown(tasks)}; send a list with some of: ${known}`);
  }
  if (!isObject(minScore)) {
    throw new TypeError(`minScore is ${shown(minScore)}; send an object of numbers by task`);
  }
  for (const [task, score] of Object.entries(minScore)) {
    if (typeof score !== 'number' || Number.isNaN(score)) {
      throw new TypeError(`minScore.${task} is ${shown(score)}; send a number`);
    }
  }
  const names = tasks ?? [...byName.keys()];
  const unknown = [...names, ...Object.keys(minScore)].filter((name) => !byName.has(name));
  if (unknown.length) {
    const list = unknown.map(shown).join(', ');
    throw new RangeError(`unknown tasks: ${list}; this bundle knows: ${known}`);
  }
  return { heads: [...new Set(names)].map((name) => byName.get(name)), topK, minScore };
}

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

// A value as a message names it.
function shown(value) {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return value.length ? 'a list' : 'an empty list';
  return value !== null && ['object', 'function'].includes(typeof value)
    ? `a value of type ${typeof value}`
    : String(value);
}
