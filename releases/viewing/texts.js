// Texts with marked stretches, differences between two texts, chats, and tokens shaded by weight.

// The text in parts; `marks` are {start, end, kind} in characters, and `draw` makes an element of a marked part.
function marked(text, marks, draw) {
  const characters = Array.from(text);
  const edges = new Set([0, characters.length]);
  for (const mark of marks) for (const edge of [mark.start, mark.end]) edges.add(Math.max(0, Math.min(characters.length, edge)));
  const ordered = [...edges].sort((one, other) => one - other);
  return ordered.slice(1).map((end, place) => {
    const start = ordered[place];
    const part = characters.slice(start, end).join("");
    const mark = marks.find((one) => one.start <= start && one.end >= end);
    return mark ? draw(part, mark) : part;
  });
}

// Both texts with the words marked in which they differ, between their equal beginnings and ends.
function differing(one, other) {
  const split = (text) => text.split(/(\s+)/);
  const [left, right] = [split(one), split(other)];
  let first = 0;
  while (first < left.length && first < right.length && left[first] === right[first]) first += 1;
  let last = 0;
  while (last < Math.min(left.length, right.length) - first && left.at(-1 - last) === right.at(-1 - last)) last += 1;
  const isOneStretch = first + last > 0;
  return [left, right].map((parts) => {
    const middle = parts.slice(first, parts.length - last).join("");
    if (!isOneStretch || middle === "") return [parts.join("")];
    return [parts.slice(0, first).join(""), el("mark.differs", {}, middle), parts.slice(parts.length - last).join("")];
  });
}

function chat(messages) {
  return el(
    "div.chat",
    {},
    messages.map((message) => el(`div.message`, {}, el("span.role", {}, message.role ?? ""), el("div.written", {}, message.content ?? ""))),
  );
}

function written(value) {
  return isChat(value) ? chat(value) : el("div.written", {}, Array.isArray(value) ? value.join("") : value ?? "");
}

// The tokens of a side. Without their texts a strip of weights stands below the text.
function tokens(side, row) {
  const { ids, weights, tested } = side.tokens;
  const [pieces, shares] = [row.get(ids), row.get(weights)];
  const varies = shares.some((share) => share !== shares[0]);
  const positions = (tested && row.get(tested.positions)) ?? [];
  const confirmed = (tested && row.get(tested.confirmed)) ?? [];
  const hasTexts = pieces.every((piece) => typeof piece === "string");
  const drawn = pieces.map((piece, place) => {
    const number = positions.indexOf(place);
    const state = number < 0 ? "" : confirmed[number] ? ".tested.confirmed" : ".tested";
    const isSpecial = piece === "";
    const about = `token ${place + 1}${isSpecial ? " (special)" : ""}, weight ${figure(shares[place])}`;
    const text = hasTexts ? piece.replaceAll("\n", "\u21b5\n") || "\u25aa" : "\u00a0";
    const label = hasTexts ? about : `${about}, id ${piece}`;
    return el(`span.token${state}`, { title: label, "--weight": varies ? shares[place] : 0 }, text, number >= 0 && el("sup", {}, number + 1));
  });
  const note = varies ? null : el("p.note", {}, `Every token has the weight ${figure(shares[0])}.`);
  if (hasTexts) return [el("div.written.tokens", {}, drawn), note];
  const missing = "The texts of these tokens were not known where this file was written (--tokenizer), so a strip shows their weights.";
  return [written(row.get(side.text)), el("div.strip", {}, drawn), note, el("p.note", {}, missing)];
}

function testedTable(side, row) {
  const tested = side.tokens.tested;
  const positions = row.get(tested.positions) ?? [];
  if (!positions.length) return el("p.note", {}, "No token was tested.");
  const pieces = row.get(side.tokens.ids);
  const headings = ["", "token", tested.nominated_by && "nominated by", tested.kept && "rollouts with it", tested.replaced && "with another token", "critical"];
  const lines = positions.map((position, place) => {
    const nominated = tested.nominated_by && el("td", {}, row.get(tested.nominated_by)[place]);
    const arms = [tested.kept, tested.replaced].map((arm) => arm && el("td", {}, meter(measured(arm, row, place), "value")));
    const isCritical = row.get(tested.confirmed)[place];
    const token = pieces[position];
    return el(
      "tr",
      {},
      el("td", {}, place + 1),
      el("td", {}, el("code", {}, typeof token === "string" ? token.replaceAll("\n", "\u21b5").replaceAll(" ", "\u2423") : `id ${token}`)),
      nominated,
      arms,
      el("td", {}, el(isCritical ? "b.verdict.wrong" : "span.dim", {}, isCritical ? "\u2713 confirmed" : "not confirmed")),
    );
  });
  const heads = headings.filter((name) => name !== null && name !== undefined).map((name) => el("th", { scope: "col" }, name));
  return el("div.scrolls", {}, el("table.tested", {}, el("caption", {}, "Tested tokens of the rejected side"), el("tr", {}, heads), lines));
}
