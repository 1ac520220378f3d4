"use strict";
// All that a user, a bundle or the service says goes into the page as text, never as HTML.
const WAIT_MS = 250, TOP_K = 3, MOST_LINES = 2000, LEAST_CHANGE = 0.005;
const address = new URL(".", location.href).href;
const at = id => document.getElementById(id);
let service = null, running = null, timer = 0;

function make(tag, className, ...content) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...content.filter(part => part !== null));
  return element;
}

async function send(question, signal) {
  const started = performance.now();
  const response = await fetch(address, {
    method: "POST", body: JSON.stringify(question), signal,
    headers: {"Content-Type": "application/json", Accept: "application/json"},
  });
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Error(answer?.error?.message ?? `The answer has the status ${response.status}.`);
  const timing = response.headers.get("Server-Timing") ?? "";
  return {answer, spans: spansOf(timing), ms: performance.now() - started};
}

function spansOf(timing) {
  return [...timing.matchAll(/([\w-]+);dur=([\d.]+)/g)].map(([, name, ms]) => [name, Number(ms)]);
}

// Groups of lines that the service takes in one request.
function groups(lines) {
  const {max_texts, max_bytes} = service.limits, encoder = new TextEncoder(), made = [];
  let group = [], bytes = 0;
  for (const line of lines) {
    const size = encoder.encode(JSON.stringify(line)).length + 1;
    if (group.length && (group.length === max_texts || bytes + size > max_bytes - 1000)) {
      made.push(group);
      group = []; bytes = 0;
    }
    group.push(line); bytes += size;
  }
  return group.length ? [...made, group] : made;
}

async function update() {
  running?.abort();
  const all = at("text").value.split(/\r?\n/).filter(line => line.trim()), lines = all.slice(0, MOST_LINES);
  for (const id of ["cost", "calls"]) at(id).hidden = !lines.length;
  if (!lines.length || !service) { at("answers").replaceChildren(); say(""); return; }
  const {signal} = running = new AbortController();
  const explains = at("explain").checked && lines.length === 1;
  const question = {inputs: lines.length === 1 ? lines[0] : lines, top_k: TOP_K, ...(explains && {explain: true})};
  showCalls(question);
  say("…");
  try {
    let predictions = [], cut = [], spans = [], ms = 0, explanations = null;
    for (const group of groups(lines)) {
      const sent = await send({...question, inputs: group}, signal);
      cut.push(...(sent.answer.truncated ?? []).map(index => index + predictions.length));
      predictions.push(...sent.answer.predictions);
      explanations = sent.answer.explanations ?? null;
      spans.push(...sent.spans); ms += sent.ms;
    }
    at("answers").replaceChildren(lines.length === 1
      ? cards(lines[0], predictions[0], cut.length > 0, explanations?.[0])
      : table(lines, predictions, new Set(cut)));
    showCost(spans, ms, lines.length);
    const left = all.length > lines.length ? ` of ${all.length}` : "";
    say(lines.length === 1 ? "" : `${lines.length}${left} texts, ${cut.length} of them cut. Choose one to see its answers in full.`);
  } catch (error) {
    if (error.name !== "AbortError") say(error.message, true);
  }
}

function say(message, isProblem = false) {
  at("status").textContent = message;
  at("status").className = isProblem ? "problem" : "";
}

const percent = score => `${(100 * score).toFixed(1)} %`;

function bar(share) {
  const inner = make("div", "bar"), track = make("div", "track", inner);
  inner.style.width = `${100 * Math.min(1, share)}%`;
  track.setAttribute("aria-hidden", "true");
  return track;
}

function cards(text, prediction, isCut, explanation) {
  const shown = Object.entries(prediction).map(([task, labels]) => {
    const rows = labels.map(({label, score}, place) => make("li", place ? "" : "first",
      make("div", "line", make("span", "", label), make("span", "", percent(score))), bar(score)));
    return make("section", "card", make("h3", "", task),
      rows.length ? make("ul", "bars", ...rows) : make("p", "quiet", "no label reaches its threshold"),
      rows.length && explanation ? why(labels[0], explanation[task] ?? []) : null);
  });
  const cut = isCut ? make("p", "cut", `Cut: the answers are of its ${partRead()} tokens.`) : null;
  return make("div", "", cut, make("div", "cards", ...shown));
}

function partRead() {
  const {max_tokens, long_texts} = service;
  return {head: `first ${max_tokens}`, tail: `last ${max_tokens}`}[long_texts] ?? `first and last ${max_tokens / 2}`;
}

function why({label, score}, words) {
  const telling = words.filter(({change}) => Math.abs(change) >= LEAST_CHANGE);
  const items = telling.map(({word, change}) => {
    const without = percent(Math.min(1, Math.max(0, score + change)));
    const item = make("li", change < 0 ? "for" : "against", `${change < 0 ? "▲" : "▼"} ${word}: ${without}`);
    item.title = `Without “${word}” ${label} has ${without} instead of ${percent(score)}.`;
    return item;
  });
  return make("div", "why", make("p", "quiet", items.length ? `${label} without one word (▲ spoke for it, ▼ against it)` : "No single word carried it."),
    items.length ? make("ul", "words", ...items) : null);
}

function table(lines, predictions, cut) {
  const head = make("tr", "", ...["text", ...Object.keys(predictions[0])].map(name => make("th", "", name)));
  const rows = lines.map((line, index) => {
    const button = make("button", "", line);
    button.type = "button";
    button.addEventListener("click", () => { at("text").value = line; at("text").focus(); update(); });
    const cells = Object.values(predictions[index]).map(labels => make("td", "",
      ...(labels.length ? [`${labels[0].label} `, make("span", "score", percent(labels[0].score))] : ["–"])));
    return make("tr", "", make("td", "", button, cut.has(index) ? make("span", "cut", " cut") : null), ...cells);
  });
  return make("div", "wide", make("table", "", make("thead", "", head), make("tbody", "", ...rows)));
}

function showCost(spans, ms, texts) {
  const sums = new Map();
  for (const [name, duration] of spans) sums.set(name, (sums.get(name) ?? 0) + duration);
  const inside = sums.get("request");
  at("total").textContent = `${ms.toFixed(0)} ms as this browser measures it` +
    (inside === undefined ? "." : `, ${inside.toFixed(1)} ms of them in the service; parts may lie inside others.`) +
    (texts > 1 ? ` ${(ms / texts).toFixed(1)} ms a text.` : "");
  const longest = Math.max(...sums.values());
  at("spans").replaceChildren(...[...sums].sort((one, other) => other[1] - one[1]).map(([name, duration]) =>
    make("li", "", make("span", "", name), make("span", "", `${duration.toFixed(2)} ms`), bar(duration / longest))));
}

function python(value) {
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value).map(([key, part]) => `${python(key)}: ${python(part)}`).join(", ")}}`;
}

function showCalls(question) {
  at("curl").textContent = `curl -s '${address}' -d '${JSON.stringify(question).replaceAll("'", "'\\''")}'`;
  at("python").textContent = `import json, urllib.request\n\nquestion = ${python(question)}\n` +
    `with urllib.request.urlopen("${address}", json.dumps(question).encode()) as answer:\n    print(json.load(answer))`;
}

function describe() {
  const {bundle, base, max_tokens, tasks, limits} = service;
  document.title = bundle;
  at("bundle").textContent = bundle.split("@")[0];
  at("summary").textContent = `${bundle}: ${tasks.map(task => task.name).join(", ")}; made from ${base}, reads ${max_tokens} tokens of a text.`;
  at("limits").textContent = `Up to ${limits.max_chars} characters a text; at most ${MOST_LINES} lines are sent.`;
  const kinds = {single: "one label", multi: "any number of labels"};
  at("tasks").replaceChildren(
    make("p", "quiet", `A request may have ${limits.max_texts} texts, ${limits.max_bytes} bytes and ` +
      `${limits.max_chars} characters a text; with explanations ${limits.max_explained} texts.`),
    ...tasks.map(task => make("details", "",
      make("summary", "", `${task.name}: ${task.labels.length} labels, ${kinds[task.kind] ?? task.kind}`),
      make("p", "", task.labels.join(", ")))));
}

// A link may hold a text, which browsers do not send to the service.
function textOf(hash) {
  try { return decodeURIComponent(hash); } catch { return hash; }
}

async function copy(pre) {
  getSelection().selectAllChildren(pre);
  try {
    await navigator.clipboard.writeText(pre.textContent);
    say("Copied.");
  } catch { // no clipboard without https
    say("Selected, to be copied.");
  }
}

async function start() {
  try {
    const response = await fetch(address, {headers: {Accept: "application/json"}});
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error.message);
    service = answer;
  } catch (error) {
    say(`The service does not describe itself: ${error.message}`, true);
    return;
  }
  describe();
  if (location.hash.length > 1) at("text").value = textOf(location.hash.slice(1));
  update();
}

at("text").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(update, WAIT_MS); });
at("explain").addEventListener("change", update);
at("clear").addEventListener("click", () => { at("text").value = ""; at("text").focus(); update(); });
at("form").addEventListener("submit", event => event.preventDefault());
for (const button of document.querySelectorAll("[data-copies]")) {
  button.addEventListener("click", () => copy(at(button.dataset.copies)));
}
start();
