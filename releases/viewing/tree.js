// The tree of a problem: its rows, joined where they begin alike.

const MOST_NODES = 400;

function node(text, value, side) {
  return { text, value, side, children: new Map(), rows: [], isOnPath: false };
}

function grown(root, path, row, isCurrent) {
  let at = root;
  for (const step of path) {
    if (!at.children.has(step.key)) at.children.set(step.key, node(step.text, step.value, step.side));
    at = at.children.get(step.key);
    at.isOnPath ||= isCurrent;
    if (isCurrent) at.value = step.value; // a value depends on the steps that come after, too
  }
  at.rows.push(row);
}

function pathOfSteps(panel, row) {
  const keys = row.get(panel.nodes);
  return row.get(panel.texts).map((text, index) => ({ key: keys[index], text, value: measured(panel.values, row, index) }));
}

// The paths of both sides of each row, cut wherever a row ends a step, so that equal beginnings are joined.
function pathsOfPairs(panel, rows) {
  const ends = new Map();
  const wholes = rows.flatMap((row) =>
    [panel.chosen, panel.rejected].map((side, place) => {
      const before = row.get(panel.before) ?? "";
      const step = before + row.get(side.text);
      if (before && !ends.has(before)) ends.set(before, {});
      ends.set(step, { value: measured(side.value, row), side: place ? "rejected" : "chosen" });
      return { row, text: before + ((side.whole && row.get(side.whole)) || row.get(side.text)) };
    }),
  );
  const cuts = [...ends.keys()].sort((one, other) => one.length - other.length);
  return wholes.map(({ row, text }) => {
    const own = cuts.filter((cut) => text.startsWith(cut));
    if (own.at(-1) !== text) own.push(text);
    const path = own.map((cut, place) => ({ key: cut, text: cut.slice(place ? own[place - 1].length : 0), ...ends.get(cut) }));
    return { row, path };
  });
}

function treeOf(panel, rows, current) {
  const root = node("problem", panel.root ? measured(panel.root, current) : null);
  root.isOnPath = true;
  const paths = panel.kind === "steps" ? rows.map((row) => ({ row, path: pathOfSteps(panel, row) })) : pathsOfPairs(panel, rows);
  for (const { row, path } of paths) grown(root, path, row, row.index === current.index);
  return root;
}

function treeLine(at, current, open) {
  const value = at.value;
  const isMeasured = value !== null && value !== undefined && value.share !== null;
  const links = at.rows.map((row) =>
    row.index === current.index
      ? el("span.here", { "aria-current": "true" }, `row ${row.number}`)
      : el("button.link", { type: "button", onclick: () => open(row.index) }, `row ${row.number}`),
  );
  return el(
    at.isOnPath ? "div.node.on-path" : "div.node",
    {},
    isMeasured ? el("b.share", { "--tone": toneOf(value.share), title: countsOf(value) }, shareText(value.share)) : el("b.share.none"),
    el("span.counts", {}, isMeasured && value.n ? `${value.right}/${value.n}` : ""),
    at.side && el(`span.verdict.${at.side === "chosen" ? "right" : "wrong"}`, {}, at.side),
    el("span.words", { title: at.text }, at.text.trim().replace(/\s+/g, " ")),
    links,
  );
}

// A branch as a list: a step below the one before, and one list for each branch where there are several.
function branchList(start, current, open, left) {
  const list = el("ul.branch");
  for (let at = start; at && left.nodes > 0; ) {
    left.nodes -= 1;
    const item = el("li", {}, treeLine(at, current, open));
    list.append(item);
    const children = [...at.children.values()];
    if (children.length > 1) item.append(el("div.forks", {}, children.map((child) => branchList(child, current, open, left))));
    at = children.length === 1 ? children[0] : null;
  }
  return list;
}

async function treePanel(head, rows, row, open) {
  const panel = head.panels.find((one) => (one.kind === "steps" && one.nodes) || (one.kind === "pair" && one.before));
  if (!panel || !rows.has("problem_id")) return null;
  const problem = row.get("problem_id");
  const siblings = (await rows.all()).filter((one) => one.get("problem_id") === problem);
  const left = { nodes: MOST_NODES };
  const list = branchList(treeOf(panel, siblings, row), row, open, left);
  const told = `${siblings.length} ${siblings.length === 1 ? "row" : "rows"} of this problem, joined where they begin alike`;
  const note = left.nodes > 0 ? null : el("p.note", {}, `The first ${MOST_NODES} steps are shown.`);
  return section("Tree of the problem", el("span.aside", {}, told), el("div.scrolls", {}, list), note);
}
