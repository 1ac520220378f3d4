// The bundle on Node without a server, as ../lineage/step.py does it: answers once, says so, times
// more answers, then waits for its input to close.
//
//   BUNDLE=dir node step.js TEXT RUNS
const { answer } = require('./index.js');

const [text, runs] = process.argv.slice(2);
(async () => {
  await answer([text]);
  console.log(JSON.stringify({ answered: true }));
  const runMs = [];
  for (let run = 0; run < Number(runs); run++) {
    const start = performance.now();
    await answer([text]);
    runMs.push(performance.now() - start);
  }
  console.log(JSON.stringify({ run_ms: runMs }));
  process.stdin.resume().on('end', () => process.exit(0));
})();
