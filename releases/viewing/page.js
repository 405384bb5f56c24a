// The page: one row at a time, with its place in the release in the address.

const LONG = 90;

function columnValue(value) {
  if (isChat(value)) return el("details", {}, el("summary", {}, `${value.length} messages`), chat(value));
  if (value !== null && typeof value === "object" && !Array.isArray(value)) {
    return el("div.written", {}, Object.entries(value).map(([key, item]) => `${key}: ${typeof item === "object" ? JSON.stringify(item) : item}\n`));
  }
  const items = Array.isArray(value) ? value.map((item) => figure(item)) : null;
  const text = items ? items.join(items.some((item) => item.length > 12) ? "\n" : ", ") : figure(value);
  if (text.length <= LONG && !text.includes("\n")) return el("code", {}, text);
  return el("details", {}, el("summary", {}, `${text.slice(0, 40).replace(/\s+/g, " ")} \u2026`), el("div.written", {}, text));
}

function namesIn(declared) {
  if (typeof declared === "string") return [declared];
  if (declared === null || typeof declared !== "object") return [];
  return Object.entries(declared).flatMap(([key, value]) => (key === "kind" ? [] : namesIn(value)));
}

function columnsPanel(head, row) {
  const drawn = new Set([...head.problem, ...head.tokenwise, ...head.facts, ...head.panels.flatMap(namesIn)]);
  const others = head.columns.filter((column) => !drawn.has(column.name));
  const isEmpty = (column) => itemsOf(row.get(column.name)).length === 0;
  const name = (column) => el("dt", { title: column.meaning }, column.name);
  const lines = others.filter((column) => !isEmpty(column)).map((column) => el("div", {}, name(column), el("dd", {}, columnValue(row.get(column.name)))));
  const empty = others.filter(isEmpty).map((column) => column.name);
  return el(
    "aside.columns",
    { "aria-label": "Other columns" },
    el("h2", {}, "Other columns"),
    el("dl", {}, lines),
    empty.length > 0 && el("p.note", {}, `empty: ${empty.join(", ")}`),
  );
}

function problemPanel(rows, row, head) {
  const facts = head.facts.filter((name) => row.get(name) !== null);
  const answer = row.get("answer");
  if (!rows.has("prompt") && !facts.length) return null;
  const chips = facts.map((name) =>
    el("span.fact", {}, words(name), name === "verdict" ? verdictChip(row.get(name)) : el("code", {}, figure(row.get(name)))),
  );
  return el(
    "section.panel.problem",
    { "aria-label": "Problem" },
    rows.has("prompt") && written(row.get("prompt")),
    (answer || chips.length > 0) && el("div.facts", {}, answer && el("span.fact.gold", {}, "gold answer", el("code", {}, answer)), chips),
  );
}

class Page {
  constructor(head) {
    this.head = head;
    this.rows = head.sheets.map((sheet, number) => new Rows(number, sheet));
    this.root = document.getElementById("page");
    this.main = el("main", { tabindex: "-1" });
    this.status = el("output.status", { "aria-live": "polite" });
    this.bar = el("div.bar-filters");
    this.drawn = 0;
    this.build();
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("hashchange", () => this.openAddress());
  }

  build() {
    const { dataset, version, row, sheets } = this.head;
    this.choice = el("select", { "aria-label": "Config" }, sheets.map((sheet, number) => el("option", { value: number, title: sheet.purpose }, sheet.name)));
    this.choice.addEventListener("change", () => this.openSheet(Number(this.choice.value), 0));
    this.purpose = el("p.purpose");
    const move = (by, label, sign) => el("button.move", { type: "button", "aria-label": label, title: label, onclick: () => this.move(by) }, sign);
    this.root.append(
      el(
        "header",
        {},
        el("div.name", {}, el("h1", {}, dataset, " ", el("span.version", {}, version)), el("p", {}, `A row is ${row}.`)),
        el("nav", { "aria-label": "Rows" }, el("label", {}, "config ", this.choice), el("div.moves", {}, move(-1, "Previous row (left arrow)", "\u2190"), this.status, move(1, "Next row (right arrow)", "\u2192"))),
        this.purpose,
        this.bar,
      ),
      this.main,
    );
  }

  async openAddress() {
    const [name, number] = location.hash.slice(1).split("/");
    const sheet = Math.max(0, this.head.sheets.findIndex((one) => one.name === name));
    const index = this.head.sheets[sheet].numbers.indexOf(Number(number) - 1);
    await this.openSheet(sheet, Math.max(0, index));
  }

  async openSheet(number, index) {
    if (this.sheet !== number) {
      this.sheet = number;
      this.choice.value = String(number);
      const head = this.head.sheets[number];
      this.purpose.replaceChildren(el("b", {}, head.says), ` \u00b7 ${visible(head.name)}: ${visible(head.purpose)}`);
      this.bar.replaceChildren(filterBar(head, (filters) => this.filter(filters)));
      this.shown = head.numbers.map((_, place) => place);
    }
    if (!this.shown.includes(index)) {
      this.bar.replaceChildren(filterBar(this.head.sheets[number], (filters) => this.filter(filters)));
      this.shown = this.head.sheets[number].numbers.map((_, place) => place);
    }
    await this.open(index);
  }

  async filter(filters) {
    const turn = (this.filtering = (this.filtering ?? 0) + 1);
    const all = await this.rows[this.sheet].all();
    if (turn !== this.filtering) return;
    this.shown = all.filter((row) => filters.every((one) => matches(one, row))).map((row) => row.index);
    if (this.shown.length) await this.open(this.shown.includes(this.index) ? this.index : this.shown[0]);
    else {
      this.tell();
      this.main.replaceChildren(el("p.nothing", {}, "No row matches these filters."));
    }
  }

  async open(index) {
    const turn = (this.drawn += 1);
    const [rows, head] = [this.rows[this.sheet], this.head.sheets[this.sheet]];
    if (!rows.length) return;
    const row = await rows.row(index);
    if (turn !== this.drawn) return;
    this.index = index;
    history.replaceState(null, "", `#${head.name}/${row.number}`);
    this.tell(row);
    const panels = head.panels.map((panel) => PANELS[panel.kind](panel, row, head));
    const body = el("div.body", {}, problemPanel(rows, row, head), panels);
    this.main.replaceChildren(...[body, columnsPanel(head, row)].filter(Boolean));
    document.documentElement.dataset.row = row.number;
    const tree = await treePanel(head, rows, row, (other) => this.openSheet(this.sheet, other));
    if (tree && turn === this.drawn) body.append(tree);
  }

  tell(row) {
    const place = row ? this.shown.indexOf(row.index) + 1 : 0;
    const all = this.rows[this.sheet].length;
    const matching = this.shown.length === all ? "" : ` matching, of ${all.toLocaleString("en")}`;
    this.status.replaceChildren(el("b", {}, place.toLocaleString("en")), ` / ${this.shown.length.toLocaleString("en")}${matching}`);
    this.status.title = row ? `row ${row.number} of the release` : "";
  }

  move(by) {
    const place = this.shown.indexOf(this.index) + by;
    if (place >= 0 && place < this.shown.length) this.open(this.shown[place]);
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, select, textarea")) return;
    if (event.key === "ArrowLeft") this.move(-1);
    if (event.key === "ArrowRight") this.move(1);
  }
}

unpacked("head").then((head) => new Page(head).openAddress());
