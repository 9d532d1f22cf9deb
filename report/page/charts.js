/* charts.js - charts of numbers over classes, drawn with d3 as SVG. What a chart shows also stands in a table beside it. */

function svgIn(box, width, height, label) {
  return d3.select(clear(box)).append("svg").attr("viewBox", `0 0 ${width} ${height}`).attr("width", width).attr("height", height)
    .attr("role", "img").attr("aria-label", label);
}

/* Round values of a unit that people count bytes in, up to most. */
function byteTicks(most, n) {
  const unit = 1024 ** unitOf(most);
  return d3.scaleLinear().domain([0, most / unit]).ticks(n).map(v => v * unit);
}

function legend(...parts) {
  return el("p", {class: "legend"}, parts.map(([name, words]) => el("span", null, el("i", {class: "key " + name, "aria-hidden": "true"}), words)));
}

/* ---------------------------------------------------------------- distributions */

/* Two columns a class: its share of the keys and of the memory. rows: {label, keys, size_in_bytes}. */
function columns(box, width, rows, label) {
  const height = 224, m = {top: 8, right: 4, bottom: 60, left: 38};
  const svg = svgIn(box, width, height, label);
  const keys = d3.sum(rows, r => r.keys) || 1, memory = d3.sum(rows, r => r.size_in_bytes) || 1;
  const x = d3.scaleBand().domain(rows.map(r => r.label)).range([m.left, width - m.right]).paddingInner(0.2).paddingOuter(0.1);
  const most = d3.max(rows, r => Math.max(r.keys / keys, r.size_in_bytes / memory)) || 1;
  const y = d3.scaleLinear().domain([0, most]).nice(4).range([height - m.bottom, m.top]);
  svg.append("g").attr("class", "axis").attr("transform", `translate(${m.left},0)`)
    .call(d3.axisLeft(y).ticks(4).tickFormat(d3.format(most < 0.04 ? ".1%" : ".0%")).tickSizeInner(-(width - m.left - m.right)).tickSizeOuter(0));
  const crowded = x.step() < 6.6 * d3.max(rows, r => r.label.length) + 4;
  const every = Math.max(1, Math.ceil(16 / x.step()));
  const axis = svg.append("g").attr("class", "axis x").attr("transform", `translate(0,${height - m.bottom})`)
    .call(d3.axisBottom(x).tickSize(0).tickPadding(6).tickValues(x.domain().filter((d, i) => i % every === 0)));
  if (crowded) axis.selectAll("text").attr("transform", "rotate(-45)").attr("text-anchor", "end").attr("x", -4).attr("y", 6);
  const half = x.bandwidth() / 2;
  const group = svg.selectAll("g.class").data(rows).enter().append("g").attr("class", "class").attr("transform", r => `translate(${x(r.label)},0)`);
  for (const [i, name, value] of [[0, "c-keys", r => r.keys / keys], [1, "c-memory", r => r.size_in_bytes / memory]])
    group.append("rect").attr("class", name).attr("x", i * half).attr("width", Math.max(1, half - 1)).attr("y", r => y(value(r))).attr("height", r => y(0) - y(value(r)));
  group.append("rect").attr("class", "reach").attr("y", m.top).attr("height", height - m.bottom - m.top).attr("width", x.bandwidth())
    .on("mousemove", r => showTip(d3.event, r.words, `${plural(r.keys, "key")} (${share(r.keys, keys)})`, `${bytes(r.size_in_bytes)} (${share(r.size_in_bytes, memory)})`))
    .on("mouseleave", hideTip);
}

/* Classes before the first and behind the last that has keys are left out. */
function occupied(rows) {
  let from = rows.findIndex(r => r.keys > 0), to = rows.length;
  while (to > from && rows[to - 1].keys === 0) to--;
  return from < 0 ? [] : rows.slice(from, to);
}

const DISTRIBUTIONS = [
  ["size", "Size of a key", v => v === null ? "more" : shortBytes(v), "up to "],
  ["elements", "Elements of a collection", v => v === null ? "more" : shortCount(v), "up to "],
  ["ttl", "Time to live", v => v === null ? "later" : duration(v), "within "],
  ["idle", "Idle time", v => v === null ? "longer" : duration(v), "up to "],
  ["frequency", "Access frequency (LFU counter)", v => v === null ? "more" : count(v), "up to "],
];

function classRows(list, word, before) {
  return occupied(list.map(r => {
    const label = r.name !== undefined ? (r.name === "none" ? "never" : r.name) : word(r.upto);
    const words = r.name !== undefined ? (r.name === "none" ? "never expires" : r.name) : r.upto === null ? word(null) : before + word(r.upto);
    return Object.assign({label, words}, r);
  }));
}

function distribution(name, heading, word, before) {
  const list = report.distributions[name];
  const rows = list ? classRows(list, word, before) : [];
  if (!rows.length) return null;
  const box = el("div", {class: "chart"});
  const keys = d3.sum(rows, r => r.keys), memory = d3.sum(rows, r => r.size_in_bytes);
  const node = el("figure", {class: "panel", "data-distribution": name}, el("figcaption", null, heading), box,
    el("details", null, el("summary", null, "As a table"), table(heading, [["class"], ["keys", "n"], ["share", "n"], ["memory", "n"], ["share", "n"]],
      rows.map(r => [r.words, count(r.keys), share(r.keys, keys), bytes(r.size_in_bytes), share(r.size_in_bytes, memory)]))));
  node.drawIt = () => drawn(box, width => columns(box, width, rows, `${heading}: shares of keys and of memory`));
  return node;
}

function distributions() {
  const d = report.distributions;
  if (!d || !report.totals.keys) return;
  const p = d.size_percentiles;
  const panels = DISTRIBUTIONS.map(args => distribution(...args)).filter(Boolean);
  section("distributions", "Distributions", `Half of the keys take at most ${bytes(p.p50)}, 90 % at most ${bytes(p.p90)}, 99 % at most ${bytes(p.p99)}; the largest takes ${bytes(p.max)}. Times are counted from ${time(report.target.now_ms)}.`,
    legend(["c-keys", "share of the keys"], ["c-memory", "share of the memory"]), el("div", {class: "panels"}, panels));
  panels.forEach(node => node.drawIt());
}
