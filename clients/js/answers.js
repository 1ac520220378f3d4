// Logits to probabilities, and probabilities to answers, as model/softmax.py and answers.py.

// Each task with its columns of the logits, from `start` to before `end`.
export function headsOf(tasks) {
  let end = 0;
  return tasks.map((task) => ({ ...task, start: end, end: (end += task.labels.length) }));
}

// The answers to one text, by task, that its logits hold: the labels of all tasks side by side.
export function predictionOf(heads, logits, topK, minScore) {
  return Object.fromEntries(heads.map((head) => {
    const scores = probabilities(head, logits.subarray(head.start, head.end));
    return [head.name, labelsOf(head, scores, topK, minScore[head.name])];
  }));
}

// No exponential is of a positive number, so nothing overflows.
function probabilities({ kind, temperature }, logits) {
  if (kind === 'multi') {
    return Array.from(logits, (logit) => {
      const power = Math.exp(-Math.abs(logit / temperature));
      return (logit >= 0 ? 1 : power) / (1 + power);
    });
  }
  const top = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp((logit - top) / temperature));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

// The labels of one task for one text; of equal scores the first label comes first.
function labelsOf({ kind, labels, thresholds }, scores, topK, minScore = 0) {
  const ranked = labels
    .map((label, place) => ({ label, score: scores[place], place }))
    .sort((a, b) => b.score - a.score);
  const likely = kind === 'multi'
    ? ranked.filter(({ score, place }) => score >= thresholds[place])
    : ranked.slice(0, topK);
  return likely
    .filter(({ score }) => score >= minScore)
    .map(({ label, score }) => ({ label, score }));
}
