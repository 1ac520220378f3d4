// What a test asks of the client, answered: of each of its `calls` the predictions, or the error.

export async function answersTo(Classifier, { bundle, calls }) {
  let classifier;
  try {
    classifier = await Classifier.load(bundle);
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
  const { identity, tasks } = classifier;
  const answers = [];
  for (const { texts, options } of calls) {
    try {
      answers.push(await classifier.predictDetailed(texts, options));
    } catch (error) {
      answers.push({ error: `${error.name}: ${error.message}` });
    }
  }
  await classifier.release();
  return { identity, tasks, answers };
}
