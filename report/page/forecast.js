/* forecast.js - what the allocator will hold as keys expire, and how full the slabs of its size classes are. */

const LINES = [["used_memory_rss", "resident (RSS)", "f-rss"], ["allocator_active", "active: pages held", "f-active"], ["allocator_allocated", "allocated: in use", "f-allocated"]];

function curve(box, width, part) {
  const steps = part.forecast, height = 260, m = {top: 12, right: 14, bottom: 30, left: 66};
  const svg = svgIn(box, width, height, "Memory by horizon: " + steps.map(s => `${stepWord(s)} ${bytes(s.allocator_active)} active, ${bytes(s.allocator_allocated)} allocated`).join("; "));
  const x = d3.scalePoint().domain(steps.map((s, i) => i)).range([m.left, width - m.right]).padding(0.15);
  const most = d3.max(steps, s => d3.max(LINES, ([name]) => s[name])) * 1.05;
  const y = d3.scaleLinear().domain([0, most]).range([height - m.bottom, m.top]);
  svg.append("g").attr("class", "axis").attr("transform", `translate(${m.left},0)`)
    .call(d3.axisLeft(y).tickValues(byteTicks(most, 5)).tickFormat(shortBytes).tickSizeInner(-(width - m.left - m.right)).tickSizeOuter(0));
  svg.append("g").attr("class", "axis x").attr("transform", `translate(0,${height - m.bottom})`).call(d3.axisBottom(x).tickSize(0).tickPadding(8).tickFormat(i => stepShort(steps[i])));
  svg.append("path").attr("class", "f-between").attr("d", d3.area().x((s, i) => x(i)).y0(s => y(s.allocator_allocated)).y1(s => y(s.allocator_active))(steps));
  for (const [name, , cls] of LINES) {
    svg.append("path").attr("class", "line " + cls).attr("d", d3.line().x((s, i) => x(i)).y(s => y(s[name]))(steps));
    svg.selectAll("circle." + cls).data(steps).enter().append("circle").attr("class", "dot " + cls).attr("r", 3).attr("cx", (s, i) => x(i)).attr("cy", s => y(s[name]));
  }
  reaches(svg, x, steps, m.top, height - m.bottom);
}

/* The ratio by itself: its axis begins at 1, with the limits where active defrag and an operator would act. */
function ratios(box, width, part) {
  const steps = part.forecast, height = 260, m = {top: 12, right: 14, bottom: 30, left: 66};
  const svg = svgIn(box, width, height, "Fragmentation ratio by horizon: " + steps.map(s => `${stepWord(s)} ${ratioOf(s).toFixed(2)}`).join("; "));
  const x = d3.scalePoint().domain(steps.map((s, i) => i)).range([m.left, width - m.right]).padding(0.15);
  const most = Math.max(1.2, d3.max(steps, ratioOf) * 1.04);
  const y = d3.scaleLinear().domain([1, most]).range([height - m.bottom, m.top]);
  svg.append("g").attr("class", "axis").attr("transform", `translate(${m.left},0)`).call(d3.axisLeft(y).ticks(4).tickFormat(d3.format(".2f")).tickSizeInner(-(width - m.left - m.right)).tickSizeOuter(0));
  svg.append("g").attr("class", "axis x").attr("transform", `translate(0,${height - m.bottom})`).call(d3.axisBottom(x).tickSize(0).tickPadding(8).tickFormat(i => stepShort(steps[i])));
  for (const [limit, cls] of [[1.1, "moderate"], [1.5, "high"], [2, "severe"]])
    if (limit < most) svg.append("line").attr("class", "limit " + cls).attr("x1", m.left).attr("x2", width - m.right).attr("y1", y(limit)).attr("y2", y(limit));
  svg.append("path").attr("class", "line f-ratio").attr("d", d3.line().x((s, i) => x(i)).y(s => y(ratioOf(s)))(steps));
  svg.selectAll("circle").data(steps).enter().append("circle").attr("class", s => "dot f-ratio band-" + (s.band || "low")).attr("r", 4).attr("cx", (s, i) => x(i)).attr("cy", s => y(ratioOf(s)));
  reaches(svg, x, steps, m.top, height - m.bottom);
}

function reaches(svg, x, steps, top, bottom) {
  const half = x.step() / 2;
  svg.selectAll("rect.reach").data(steps).enter().append("rect").attr("class", "reach").attr("x", (s, i) => x(i) - half).attr("width", 2 * half).attr("y", top).attr("height", bottom - top)
    .on("mousemove", s => showTip(d3.event, stepWord(s), `${plural(Math.round(s.keys), "key")}, used_memory ${bytes(s.used_memory)}`, `active ${bytes(s.allocator_active)}, allocated ${bytes(s.allocator_allocated)}`,
      `fragmentation ${ratioOf(s).toFixed(2)}${s.band ? ", " + s.band : ""}`)).on("mouseleave", hideTip);
}

function stepTable(part) {
  const rich = modelled(part);
  return table("Forecast", [["when"], ["keys", "n wide"], ["used_memory", "n"], ...(rich ? [["active", "n"], ["RSS", "n wide"], ["frag", "n"], ["RSS/used", "n wide"], ["restart gives back", "n wide"], ["activedefrag", "wide"]] : [])],
    part.forecast.map(s => [stepWord(s), count(Math.round(s.keys)), bytes(s.used_memory), ...(rich ? [bytes(s.allocator_active), bytes(s.used_memory_rss),
      el("span", {class: "band band-" + (s.band || "low")}, ratioOf(s).toFixed(2)), s.mem_fragmentation_ratio.toFixed(2), bytes(s.restart_gives_back),
      !s.activedefrag || !s.activedefrag.available ? "not available" : s.activedefrag.would_start ? `starts, ${s.activedefrag.cpu_percent} % of a core` : "would not start"] : [])]));
}

/* ---------------------------------------------------------------- size classes */

function heldBytes(c, i) {
  return c.slabs[i] * c.slab_bytes;
}

function usedBytes(c, i) {
  return Math.min(c.regions[i] * c.size, heldBytes(c, i));
}

/* A bar a class: what its slabs hold, of it what is in use. The scale is that of the first step, so that steps compare. */
function bins(box, width, classes, at) {
  const line = 17, m = {top: 4, right: 112, bottom: 24, left: 58}, height = m.top + m.bottom + line * classes.length;
  const svg = svgIn(box, width, height, "Memory of slabs by size class");
  const most = d3.max(classes, c => d3.max(c.slabs, (s, i) => heldBytes(c, i))) || 1;
  const x = d3.scaleLinear().domain([0, most]).range([m.left, width - m.right]);
  const y = d3.scaleBand().domain(classes.map(c => c.size)).range([m.top, height - m.bottom]).padding(0.2);
  svg.append("g").attr("class", "axis").attr("transform", `translate(0,${height - m.bottom})`)
    .call(d3.axisBottom(x).tickValues(byteTicks(most, width < 500 ? 2 : 4)).tickFormat(shortBytes).tickSizeInner(-(height - m.top - m.bottom)).tickSizeOuter(0).tickPadding(6));
  svg.append("g").attr("class", "axis names").attr("transform", `translate(${m.left},0)`).call(d3.axisLeft(y).tickSize(0).tickPadding(6).tickFormat(v => count(v) + " B"));
  const rows = svg.selectAll("g.bin").data(classes).enter().append("g").attr("class", "bin");
  rows.append("rect").attr("class", "s-used").attr("x", x(0)).attr("y", c => y(c.size)).attr("height", y.bandwidth()).attr("width", c => x(usedBytes(c, at)) - x(0));
  rows.append("rect").attr("class", "s-free").attr("x", c => x(usedBytes(c, at))).attr("y", c => y(c.size)).attr("height", y.bandwidth()).attr("width", c => x(heldBytes(c, at)) - x(usedBytes(c, at)));
  rows.append("text").attr("class", "figure").attr("x", c => x(heldBytes(c, at)) + 5).attr("y", c => y(c.size) + y.bandwidth() / 2).attr("dy", "0.35em")
    .text(c => c.slabs[at] ? `${Math.round(100 * c.utilisation[at])} % of ${shortBytes(heldBytes(c, at))}` : "none");
}

function heat(classes, steps) {
  const tone = d3.scaleThreshold().domain([0.5, 0.7, 0.8, 0.9]).range(["u-0", "u-1", "u-2", "u-3", "u-4"]);
  const columns = [["class"], ...steps.map(s => [stepShort(s), "n"])];
  const node = table("Utilisation of slabs in percent, by size class and horizon", columns, classes.map(c => [count(c.size) + " B", ...c.utilisation.map((u, i) =>
    ({n: c.slabs[i] ? Math.round(100 * u) : "", class: c.slabs[i] ? tone(u) : "", title: `${count(c.regions[i])} regions in ${plural(c.slabs[i], "slab")}`}))]));
  node.classList.add("heat");
  return node;
}

function sizeClasses(part) {
  const classes = part.size_classes || [], steps = part.forecast;
  if (!classes.length) return null;
  let at = steps.indexOf(worstStep(part));
  const box = el("div", {class: "chart"}), words = el("output", {for: "step"});
  const slider = el("input", {type: "range", id: "step", min: 0, max: steps.length - 1, step: 1, value: at, "aria-label": "Horizon"});
  let view = null;
  const say = () => {
    const held = d3.sum(classes, c => heldBytes(c, at)), used = d3.sum(classes, c => usedBytes(c, at));
    clear(words).appendChild(document.createTextNode(`${stepWord(steps[at])}: slabs hold ${bytes(held)}, ${share(used, held)} of it in use`));
    slider.setAttribute("aria-valuetext", stepWord(steps[at]));
  };
  slider.addEventListener("input", () => { at = Number(slider.value); say(); view.redraw(); });
  say();
  const node = el("div", {class: "panels two"}, el("figure", {class: "panel"}, el("figcaption", null, "Memory of the slabs, and how much of it is in use"), el("div", {class: "row"}, slider, words),
    legend(["s-used", "in use"], ["s-free", "free, held by half-empty slabs"]), box),
  el("figure", {class: "panel"}, el("figcaption", null, "Utilisation in percent, by horizon"), heat(classes, steps)));
  node.drawIt = () => { view = drawn(box, width => bins(box, width, classes, at)); };
  return node;
}

/* ---------------------------------------------------------------- the section */

function forecastOf(part, into) {
  clear(into);
  const low = modelled(part), memory = el("div", {class: "chart"}), ratio = el("div", {class: "chart"});
  const classes = low ? sizeClasses(part) : null;
  if (low) into.appendChild(el("div", {class: "panels two"}, el("figure", {class: "panel"}, el("figcaption", null, "Memory"), legend(...LINES.map(([, words, cls]) => [cls, words]), ["f-between", "held but free"]), memory),
    el("figure", {class: "panel"}, el("figcaption", null, "allocator_frag_ratio: active / allocated"), legend(["limit moderate", "1.1 moderate"], ["limit high", "1.5 high"], ["limit severe", "2 severe"]), ratio)));
  into.appendChild(stepTable(part));
  if (part.reload_gives_back > 1048576) into.appendChild(el("p", {class: "small"}, `A reload would need ${bytes(part.reload_gives_back)} less than the server that wrote the file claimed.`));
  if (low) {
    drawn(memory, width => curve(memory, width, part));
    drawn(ratio, width => ratios(ratio, width, part));
  }
  if (classes) {
    into.appendChild(el("h3", {id: "bins"}, "Size classes"));
    into.appendChild(classes);
    classes.drawIt();
  }
}

function forecast() {
  const parts = futures();
  if (!parts.length) return;
  const into = el("div");
  const choice = parts.length > 1 ? el("label", {class: "tool"}, "Dump: ", el("select", {id: "dump", onchange: e => forecastOf(parts[e.target.value], into)}, parts.map((p, i) => el("option", {value: i}, p.file)))) : null;
  section("forecast", "What will come", `Counted from ${time(parts[0].forecast_from_ms)}, as keys expire and nothing is written. Pages that are held and free are fragmentation.`, choice, into);
  forecastOf(parts[0], into);
}

function rebuilt() {
  const parts = (doc.parts || [report]).filter(p => p.rebuild);
  if (!parts.length) return;
  const percent = v => (100 * v >= 0 ? "+" : "") + (100 * v).toFixed(2) + " %";
  section("rebuild", "Rebuilt", "The same blocks, allocated in the real jemalloc of the machine that made this report, beside the model of it.", ...parts.map(p => [doc.parts ? el("h3", null, el("bdi", null, p.file)) : null,
    el("p", {class: "small"}, `${plural(p.rebuild.keys, "key")}${p.rebuild.complete ? "" : ", not all,"} in jemalloc ${p.rebuild.allocator_version}, compared with ${p.rebuild.compared_with}${p.rebuild.sample_one_in > 1 ? `; every ${p.rebuild.sample_one_in}th slot, scaled` : ""}.`),
    table("Rebuilt", [["when"], ["allocated", "n"], ["modelled", "n wide"], ["", "n"], ["active", "n"], ["modelled", "n wide"], ["", "n"], ["resident", "n wide"]],
      p.rebuild.steps.map(s => [stepWord(s), bytes(s.allocated), bytes(s.model_allocated), percent(s.allocated_difference), bytes(s.active), bytes(s.model_active), percent(s.difference), bytes(s.resident)]))]));
}
