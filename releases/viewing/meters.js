// Shares as colours, and as meters with their interval and counts. A figure always stands beside its colour.

function toneOf(share) {
  if (share === null || share === undefined) return "var(--unknown)";
  const upper = share >= 0.5;
  const part = Math.round(Math.abs(share - 0.5) * 200);
  return `color-mix(in oklab, var(${upper ? "--right" : "--wrong"}) ${part}%, var(--middle))`;
}

// What was measured of a row, or of the item `index` of its lists.
function measured(declared, row, index) {
  if (!declared) return null;
  const at = (name) => {
    const value = name ? row.get(name) : null;
    return (Array.isArray(value) ? value[index] : value) ?? null;
  };
  const [n, right] = [at(declared.n), at(declared.n_right)];
  const share = at(declared.share) ?? (n ? right / n : null);
  return { share, low: at(declared.low), high: at(declared.high), n, right };
}

function shareText(share) {
  return share === null ? "\u2013" : share.toFixed(2);
}

function countsOf(value) {
  if (value.n === null) return "";
  return value.n === 0 ? "no rollouts" : `${value.right} of ${value.n} right`;
}

function meter(value, name) {
  const hasInterval = value.low !== null && value.high !== null;
  const interval = hasInterval ? `${shareText(value.low)}\u2009\u2013\u2009${shareText(value.high)}` : "";
  const percent = (share) => `${Math.max(0, Math.min(1, share)) * 100}%`;
  const label = [`${name} ${figure(value.share)}`, hasInterval && `95 % interval ${figure(value.low)} to ${figure(value.high)}`, countsOf(value)];
  return el(
    "div.meter",
    { "--tone": toneOf(value.share), role: "img", "aria-label": label.filter(Boolean).join(", "), title: label.filter(Boolean).join("\n") },
    el("b.share", {}, shareText(value.share)),
    el(
      "span.track",
      {},
      hasInterval && el("i.interval", { "--from": percent(value.low), "--to": percent(value.high) }),
      value.share !== null && el("i.dot", { "--at": percent(value.share) }),
    ),
    el("span.counts", {}, [countsOf(value), interval].filter(Boolean).join(" \u00b7 ")),
  );
}

function legend() {
  return el(
    "p.legend",
    {},
    el("span", {}, "0"),
    el("i.scale", { "aria-hidden": "true" }),
    el("span", {}, "1"),
    el("span", {}, "value: the share of rollouts from there that end right; the bar is its 95\u202f% interval"),
  );
}
