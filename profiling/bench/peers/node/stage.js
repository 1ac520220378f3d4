// The bundle on Node without a server, as ../stages/stage.py does it: answers once, says so, times
// more answers, then waits for its input to close.
//
//   BUNDLE=dir node stage.js TEXT RUNS
const { answer } = require('./index.js');

const [text, runs] = process.argv.slice(2);
(async () => {
  await answer([text]);
  console.log(JSON.stringify({ answered: true }));
  const taken = [];
  for (let run = 0; run < Number(runs); run++) {
    const began = performance.now();
    await answer([text]);
    taken.push(performance.now() - began);
  }
  console.log(JSON.stringify({ run_ms: taken }));
  process.stdin.resume().on('end', () => process.exit(0));
})();
