// What must stand in bundle.json? The rules of model/manifest.py, in its words.

export const FORMAT = 1;
export const MANIFEST = 'bundle.json';
export const MODEL = 'model.onnx';
export const TOKENIZER = 'tokenizer.json';
export const HASHED = [MODEL, TOKENIZER, 'README.md'];
export const HEAD = 'head';
const LONG_TEXTS = [HEAD, 'tail', 'head_tail'];
const KINDS = ['single', 'multi'];

// What is wrong inside a parsed bundle.json: sentences, each of which names the key.
export function manifestProblems(manifest) {
  if (manifest?.format !== FORMAT) {
    const format = JSON.stringify(manifest?.format);
    return [`${MANIFEST}: format is ${format}, this version reads format ${FORMAT}`];
  }
  const { name, base, max_tokens: maxTokens, long_texts: longTexts = HEAD } = manifest;
  const { metrics, files, tasks } = manifest;
  const problems = broken(`${MANIFEST}: `, [
    [isFilled(name), 'name must be a non-empty string'],
    [typeof base === 'string', 'base must be a string'],
    [isInteger(maxTokens, 3), 'max_tokens must be an integer of 3 or more'],
    [LONG_TEXTS.includes(longTexts), `long_texts must be one of ${LONG_TEXTS.join(', ')}`],
    [isObject(metrics), 'metrics must be an object'],
    [HASHED.every((file) => isFingerprint(files?.[file])),
      `files must be sha256 and bytes of ${HASHED.join(', ')}`],
    [Array.isArray(tasks) && tasks.length > 0, 'tasks must be a list of tasks'],
  ]);
  if (problems.length) return problems;
  tasks.forEach((task, index) => problems.push(...taskProblems(task, index)));
  if (problems.length) return problems;
  const names = new Set(tasks.map((task) => task.name));
  const ids = tasks.map((task) => task.control_id).sort((a, b) => a - b);
  return broken(`${MANIFEST}: tasks: `, [
    [names.size === tasks.length, 'two tasks share a name'],
    [ids.every((id, index) => id === ids[0] + index),
      'control_id values must be one contiguous range'],
  ]);
}

function taskProblems(task, index) {
  const where = `${MANIFEST}: tasks[${index}]: `;
  if (!isObject(task)) return [`${where}must be an object`];
  const { name, kind, labels, control_id: controlId, temperature, thresholds } = task;
  const areLabels = Array.isArray(labels) && labels.length > 0 && labels.every(isFilled)
    && new Set(labels).size === labels.length;
  const areThresholds = kind === 'single' ? thresholds === null
    : Array.isArray(thresholds) && thresholds.length === labels?.length
      && thresholds.every((value) => Number.isFinite(value) && value >= 0 && value <= 1);
  return broken(where, [
    [isFilled(name), 'name must be a non-empty string'],
    [KINDS.includes(kind), `kind must be one of ${KINDS.join(', ')}`],
    [areLabels, 'labels must be different non-empty strings'],
    [isInteger(controlId, 1), 'control_id must be a positive integer'],
    [Number.isFinite(temperature) && temperature > 0, 'temperature must be a positive number'],
    [areThresholds, 'thresholds must be null (single) or one in 0..1 per label (multi)'],
  ]);
}

function broken(where, rules) {
  return rules.filter(([holds]) => !holds).map(([, sentence]) => where + sentence);
}

const isFilled = (value) => typeof value === 'string' && value !== '';
const isInteger = (value, minimum) => Number.isSafeInteger(value) && value >= minimum;
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isFingerprint = (entry) => typeof entry?.sha256 === 'string' && isInteger(entry.bytes, 0);
