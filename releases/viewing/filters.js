// Filters by column: a range of numbers, a choice of values, or a text that is contained; of a list, any item counts.

const NOTHING = "\u2013 nothing \u2013";

function itemsOf(value) {
  const items = Array.isArray(value) ? value : [value];
  return items.filter((item) => item !== null && item !== undefined);
}

function matches(filter, row) {
  const items = itemsOf(row.get(filter.column));
  if (filter.by === "choice") {
    if (filter.value === "") return true;
    return filter.value === NOTHING ? items.length === 0 : items.some((item) => String(item) === filter.value);
  }
  if (filter.by === "range") {
    const isOpen = filter.least === null && filter.most === null;
    return isOpen || items.some((item) => (filter.least === null || item >= filter.least) && (filter.most === null || item <= filter.most));
  }
  const wanted = filter.value.toLowerCase();
  return wanted === "" || items.some((item) => String(item.content ?? item).toLowerCase().includes(wanted));
}

// The control of one filter; `changed` is called whenever its value is another.
function control(filter, column, changed) {
  const name = column.name;
  if (filter.by === "choice") {
    const options = ["", ...column.filter.values.map(String), NOTHING];
    const choice = el(
      "select",
      { "aria-label": `${name} is` },
      options.map((value) => el("option", { value }, value === "" ? "any" : value)),
    );
    choice.addEventListener("change", () => {
      filter.value = choice.value;
      changed();
    });
    return choice;
  }
  if (filter.by === "range") {
    return ["least", "most"].map((end) => {
      const label = `${name} at ${end}`;
      const input = el("input", { type: "number", step: "any", "aria-label": label, placeholder: figure(column.filter[end]) });
      input.addEventListener("input", () => {
        filter[end] = input.value === "" ? null : Number(input.value);
        changed();
      });
      return input;
    });
  }
  const input = el("input", { type: "search", "aria-label": `${name} contains`, placeholder: "contains \u2026" });
  input.addEventListener("input", () => {
    filter.value = input.value;
    changed();
  });
  return input;
}

// The bar of filters of a config; `changed` gets the filters that are set.
function filterBar(head, changed) {
  const filters = [];
  const pills = el("div.pills");
  const told = () => changed(filters);
  const columns = head.columns.filter((column) => column.filter);
  const choice = el(
    "select.add",
    { "aria-label": "Filter by column" },
    el("option", { value: "" }, "Filter by column \u2026"),
    columns.map((column) => el("option", { value: column.name, title: column.meaning }, column.name)),
  );
  choice.addEventListener("change", () => {
    const column = columns.find((one) => one.name === choice.value);
    choice.value = "";
    const filter = { column: column.name, by: column.filter.by, value: "", least: null, most: null };
    filters.push(filter);
    const pill = el("span.pill", {}, el("b", {}, column.name), control(filter, column, told));
    const drop = () => {
      filters.splice(filters.indexOf(filter), 1);
      pill.remove();
      told();
    };
    pill.append(el("button.drop", { type: "button", "aria-label": `Remove the filter by ${column.name}`, onclick: drop }, "\u00d7"));
    pills.append(pill);
    pill.querySelector("select, input").focus();
  });
  return el("div.filters", { role: "search", "aria-label": "Filters" }, choice, pills);
}
