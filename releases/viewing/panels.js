// The panels of a row, each as its dataset declares it.

function section(title, aside, ...content) {
  return el("section.panel", { "aria-label": title }, el("div.heading", {}, el("h2", {}, title), aside), content);
}

function verdictChip(verdict) {
  const tone = verdict === "equal" ? "right" : verdict === "different" ? "wrong" : "unsure";
  const meaning = { right: "right answer", wrong: "wrong answer", unsure: words(verdict) }[tone];
  return el(`span.verdict.${tone}`, { title: `verdict: ${verdict}` }, meaning);
}

const LABELS = new Map([
  [true, ["\u2713", "right"]],
  [false, ["\u2717", "wrong"]],
  [null, ["?", "not sure"]],
]);

// Short values in words, a text without its column's name; a count of nothing is not worth a word.
function notesOf(names, row, index, prefix = "") {
  const shown = names.map((name) => {
    const value = row.get(name);
    const item = Array.isArray(value) ? value[index] : value;
    if (item === null || item === undefined || (item === 0 && name.startsWith("n_"))) return null;
    if (typeof item !== "number") return words(item);
    return `${words(name.replace(prefix, "").replace(/^n_/, ""))} ${Number.isInteger(item) ? item : shareText(item)}`;
  });
  return shown.filter(Boolean).join(" \u00b7 ");
}

function stepsPanel(panel, row) {
  const texts = row.get(panel.texts) ?? [];
  const first = panel.first_wrong ? row.get(panel.first_wrong) : null;
  const labels = panel.labels ? row.get(panel.labels) : null;
  const items = texts.map((text, index) => {
    const value = measured(panel.values, row, index);
    const label = labels ? labels[index] ?? null : undefined;
    const tone = value ? toneOf(value.share) : label === undefined ? "var(--unknown)" : toneOf({ true: 1, false: 0 }[label]);
    const [sign, meaning] = label === undefined ? [null, null] : LABELS.get(label);
    return el(
      index === first ? "li.step.first-wrong" : "li.step",
      { "--tone": tone },
      el("span.place", {}, index + 1, sign && el("span.label", { title: `label: ${meaning}`, "aria-label": meaning }, sign)),
      el("div.written", {}, index === first && el("span.flag", {}, "first error"), text.replace(/\n+$/, "")),
      el("div.side", {}, value && meter(value, "value"), el("span.notes", {}, notesOf(panel.notes, row, index))),
    );
  });
  const found = first === null ? "first error not sure" : first < 0 ? "no error" : `first error in step ${first + 1}`;
  const aside = panel.first_wrong && el("span.aside", {}, found);
  return section("Solution in steps", aside, el("ol.steps", {}, items), panel.values && legend());
}

function pairPanel(panel, row) {
  const sides = [panel.chosen, panel.rejected];
  const texts = sides.map((side) => row.get(side.text));
  const isText = texts.every((text) => typeof text === "string");
  const compared = isText ? differing(...texts) : texts.map((text) => [written(text)]);
  const columns = sides.map((side, place) => {
    const name = place ? "rejected" : "chosen";
    const value = measured(side.value, row);
    const whole = side.whole ? row.get(side.whole) ?? "" : "";
    const rest = whole.startsWith(texts[place]) ? whole.slice(texts[place].length) : "";
    const body = side.tokens ? tokens(side, row) : [el("div.written", {}, compared[place], rest && el("span.rest", {}, rest))];
    return el(
      `div.of-pair.${name}`,
      {},
      el("h3", {}, name, el("span.notes", {}, notesOf(side.notes, row, 0, `${side.text}_`))),
      value && (value.share === null ? null : meter(value, "value")),
      body,
    );
  });
  const before = panel.before ? row.get(panel.before) : "";
  const margin = measured(panel.margin, row);
  const tested = sides.find((side) => side.tokens?.tested);
  return section(
    "Chosen and rejected",
    margin && el("div.aside", {}, el("span", {}, "margin"), meter(margin, "margin")),
    before && el("div.before", {}, el("h3", {}, "steps before"), el("div.written", {}, before)),
    el("div.pair", {}, columns),
    tested && testedTable(tested, row),
    panel.chosen.value && legend(),
  );
}

function turnsPanel(panel, row) {
  const parts = row.get(panel.parts) ?? [];
  const between = row.get(panel.between) ?? [];
  const starts = panel.masked ? row.get(panel.masked.starts) : [];
  const ends = panel.masked ? row.get(panel.masked.ends) : [];
  let offset = 0;
  const turns = parts.flatMap((part, place) => {
    const marks = starts.map((start, number) => ({ start: start - offset, end: ends[number] - offset }));
    offset += Array.from(part).length + Array.from(between[place] ?? "").length;
    const verdict = panel.verdicts && row.get(panel.verdicts)[place];
    const answer = panel.answers && row.get(panel.answers)[place];
    const struck = marked(part, marks, (text) => el("del", { title: "masked: not learnt" }, text));
    const heading = el("h3", {}, `attempt ${place + 1}`, verdict && verdictChip(verdict), answer && el("span.answer", {}, "answer ", el("code", {}, answer)));
    const trigger = between[place] && el("div.trigger", {}, el("h3", {}, "trigger"), el("div.written", {}, between[place].trim()));
    return [el("div.turn", {}, heading, el("div.written", {}, struck)), trigger];
  });
  const note = starts.length ? "struck: masked, so that no model learns it" : "nothing is masked";
  return section("Response", el("span.aside", {}, note), el("div.turns", {}, turns));
}

function prosePanel(panel, row, head) {
  const text = row.get(panel.text);
  if (isChat(text)) return section(words(panel.text), null, chat(text));
  const spans = panel.spans;
  const kinds = spans?.kinds ? row.get(spans.kinds) ?? [] : [];
  const known = (spans?.kinds && head.columns.find((column) => column.name === spans.kinds).filter?.values) || [...new Set(kinds)].sort();
  const marks = (spans ? row.get(spans.starts) ?? [] : []).map((start, place) => ({ start, end: row.get(spans.ends)[place], kind: kinds[place] }));
  const colour = (kind) => `kind-${Math.max(0, known.indexOf(kind)) % 6}`;
  const draw = (part, mark) => (mark.kind ? el(`mark.${colour(mark.kind)}`, { title: words(mark.kind) }, part) : el("del", {}, part));
  const keys = known.map((kind) => el(`span.key.${colour(kind)}`, {}, `${words(kind)} ${kinds.filter((one) => one === kind).length}`));
  return section(words(panel.text), spans && el("div.aside", {}, keys), el("div.written", {}, marked(text ?? "", marks, draw)));
}

// What a trainer reads: the prompt is dim, and what it does not learn after the first learnt token is struck.
function learntPanel(panel, row) {
  const [pieces, learnt] = [row.get(panel.ids) ?? [], row.get(panel.labels) ?? []];
  const first = learnt.indexOf(true);
  const drawn = pieces.map((piece, place) => {
    const text = typeof piece === "string" ? piece || "\u25aa" : `${piece} `;
    const about = `token ${place + 1}, ${learnt[place] ? "learnt" : "not learnt"}`;
    if (learnt[place]) return el("span.token", { title: about, "--weight": 0 }, text);
    return place < first ? el("span.dim", { title: about }, text) : el("del", { title: about }, text);
  });
  const count = learnt.filter(Boolean).length;
  return section("Tokens to learn", el("span.aside", {}, `${count} of ${learnt.length} are learnt`), el("div.written", {}, drawn));
}

const PANELS = {
  learnt: learntPanel,
  steps: stepsPanel,
  pair: pairPanel,
  turns: turnsPanel,
  prose: prosePanel,
  chat: (panel, row) => section("Chat", null, chat(row.get(panel.messages) ?? [])),
};
