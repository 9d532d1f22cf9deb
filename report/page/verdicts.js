/* verdicts.js - what a reader should know before anything else, the gravest first. */

const GRAVITY = {bad: 0, warn: 1, note: 2, good: 3};
const SIGNS = {bad: ["✖", "Problem"], warn: ["▲", "Attention"], note: ["●", "Note"], good: ["✔", "Fine"]};

const CUT_WORDS = {prefixes: "prefixes", databases: "databases", heaviest: "slots", hash_tags: "hash tags", nodes: "dumps", groups_custom: "groups", notes: "notes"};

/* The dumps whose future is told: this one, or the heaviest of several. */
function futures() {
  return doc.parts ? doc.parts.filter(p => p.forecast) : report.forecast ? [report] : [];
}

function ratioOf(step) {
  return step.allocator_frag_ratio || 1;
}

function worstStep(part) {
  return part.forecast.reduce((w, s) => ratioOf(s) > ratioOf(w) + 0.005 ? s : w, part.forecast[0]);
}

function modelled(part) {
  return part.forecast && part.forecast[0].allocator_active !== undefined;
}

function aboutReading(say) {
  const e = report.error;
  const broken = (report.nodes || []).filter(n => !n.complete).map(n => visible(n.file));
  if (broken.length) say("bad", `Not read whole: ${broken.slice(0, 5).join(", ")}${broken.length > 5 ? ` and ${plural(broken.length - 5, "other dump")}` : ""}. The figures are of what could be read.`, "dumps");
  else if (!report.complete && e) say("bad", `Not everything was read: ${e.kind} at byte ${count(e.offset)}. The figures are of what came before.`);
  else if (!report.complete) say("bad", "Not everything was read. The figures are of what came before.");
  else if (e) say("bad", `${e.kind}: ${e.expected}. Everything was read.`);
  const t = report.totals;
  if (t.damaged_keys) say("bad", `${plural(t.damaged_keys, "key")} were damaged and skipped; their cost is not in the sums.`);
  if (t.lower_bound_keys)
    say("warn", `${plural(t.lower_bound_keys, "key")} of unknown modules are counted by their serialised bytes (${bytes(t.lower_bound_bytes)}): they cost at least that.`);
  if (t.estimated_keys) say("note", `${plural(t.estimated_keys, "key")} (${bytes(t.estimated_bytes)}) hold values of modules or other forms whose cost is estimated.`);
  for (const note of report.notes || []) say("note", note);
  const cut = Object.entries(doc.cut).filter(([name]) => CUT_WORDS[name]).map(([name, n]) => `${CUT_WORDS[name]} (${count(n)} in all)`);
  if (cut.length) say("note", `For the size of this page not listed in full: ${cut.join(", ")}. --format=json has them.`);
  const f = report.filter;
  if (f && f.active)
    say("note", `Filtered: ${plural(f.matched_keys, "key")} of ${count(f.total_keys)} (${f.conditions.map(c => c.option + "=" + c.value).join(" ")}). The ledger is of all keys.`);
}

function aboutRules(say) {
  if (!report.audit) return;
  for (const v of report.audit.violations) say("bad", v.text);
  const kept = report.audit.rules.filter(r => !r.broken);
  if (kept.length) say("good", `Rules that hold: ${kept.map(r => r.rule).join(", ")}.`);
}

function aboutFragmentation(say) {
  const parts = futures().filter(modelled);
  if (!parts.length) return;
  const part = parts.reduce((w, p) => ratioOf(worstStep(p)) > ratioOf(worstStep(w)) ? p : w, parts[0]);
  const step = worstStep(part), ratio = ratioOf(step), where = doc.parts ? ` (${part.file})` : "";
  if (ratio < 1.1) {
    say("good", `Fragmentation stays low: at most ${ratio.toFixed(2)} as keys expire${where}.`);
    return;
  }
  const help = step.activedefrag && step.activedefrag.available ?
    step.activedefrag.would_start ? `activedefrag would start and give back ${bytes(step.activedefrag.gives_back_at_least)} to ${bytes(step.activedefrag.gives_back_at_most)}` :
      "activedefrag would not start" : "activedefrag is not to be had here";
  say(ratio >= 1.5 ? "bad" : "warn", `Fragmentation reaches ${ratio.toFixed(2)} (${stepWord(step)})${where}: ${bytes(step.allocator_frag_bytes)} held in half-empty slabs; ` +
    `${help}; a restart then gives back ${bytes(step.restart_gives_back)}.`, "forecast");
}

function aboutReload(say) {
  const claim = report.file && report.file.used_mem_claimed, used = report.ledger.used_memory;
  if (!claim) return;
  const gain = claim - used;
  if (gain > used * 0.05) say("warn", `The server that wrote the dump used ${bytes(claim)}: a restart would give back about ${bytes(gain)} (${share(gain, claim)}).`, "ledger");
}

function aboutEviction(say) {
  for (const part of doc.parts || [report]) {
    const e = part.eviction, where = doc.parts ? ` (${part.file})` : "";
    if (!e) continue;
    if (e.over_by_bytes === 0) say("good", `maxmemory ${bytes(e.maxmemory)} suffices${where}, with ${bytes(e.spare_bytes)} to spare.`, "eviction");
    else if (!e.order || e.still_over_by_bytes) say("bad", `Over maxmemory ${bytes(e.maxmemory)} by ${bytes(e.over_by_bytes)}${where}, and ${e.policy} cannot free enough: writes would fail.`, "eviction");
    else say("warn", `Over maxmemory ${bytes(e.maxmemory)} by ${bytes(e.over_by_bytes)}${where}: ${e.policy} would evict ${plural(e.keys, "key")}.`, "eviction");
  }
}

function aboutKeys(say) {
  const t = report.totals, big = report.big_keys.counts.keys, never = t.size_in_bytes - t.expiring_bytes;
  if (big) say("warn", `${plural(big, "big key")}: the largest takes ${bytes(t.largest_key_bytes)}.`, "keys");
  else if (t.keys) say("good", `No big keys; the largest takes ${bytes(t.largest_key_bytes)}.`, "keys");
  const expired = (report.expiries || []).find(b => b.name === "expired");
  if (expired && expired.keys) say("note", `${plural(expired.keys, "key")} (${bytes(expired.size_in_bytes)}) had expired when the dump was saved; a master drops them while loading.`);
  if (t.keys && never > 0.5 * t.size_in_bytes)
    say("note", `${share(never, t.size_in_bytes)} of the keys' memory (${bytes(never)}) never expires.`, "distributions");
}

function aboutPrefixes(say) {
  const rows = report.groups ? report.groups.prefixes : [];
  const top = rows.filter(r => r.depth === 1 && !r.other).reduce((w, r) => !w || r.size_in_bytes > w.size_in_bytes ? r : w, null);
  if (top && top.size_in_bytes > 0.2 * report.totals.size_in_bytes)
    say("note", `${share(top.size_in_bytes, report.totals.size_in_bytes)} of the memory is under the prefix ${visible(top.prefix)} (${plural(top.keys, "key")}).`, "map");
}

function aboutSettings(say) {
  for (const t of report.distributions ? report.distributions.thresholds : []) {
    if (t.above.estimated_saving_bytes > 0.01 * report.totals.size_in_bytes)
      say("note", `${t.setting} = ${count(t.raised_to)} instead of ${count(t.value)} would save about ${bytes(t.above.estimated_saving_bytes)}.`, "settings");
  }
}

/* [{level, text, to}], to: the section that tells more. */
function verdicts() {
  const list = [];
  const say = (level, text, to) => list.push({level, text, to});
  aboutReading(say);
  aboutRules(say);
  aboutEviction(say);
  aboutFragmentation(say);
  aboutReload(say);
  aboutKeys(say);
  aboutPrefixes(say);
  aboutSettings(say);
  return list.map((v, i) => [v, i]).sort(([a, i], [b, j]) => GRAVITY[a.level] - GRAVITY[b.level] || i - j).map(([v]) => v);
}

function tile(figure, label, remark) {
  return el("div", {class: "tile"}, el("div", {class: "figure"}, figure), el("div", {class: "label"}, label), remark && el("div", {class: "remark"}, remark));
}

function tiles() {
  const t = report.totals, l = report.ledger, list = [];
  list.push(tile(bytes(l.used_memory), "used_memory after loading", l.used_memory_stderr ? "± " + bytes(l.used_memory_stderr) : null));
  list.push(tile(count(t.keys), "keys", t.keys ? "average " + bytes(t.size_in_bytes / t.keys) : null));
  list.push(tile(share(t.payload_bytes, t.size_in_bytes), "of the keys' memory is own data", bytes(t.overhead_bytes) + " overhead"));
  list.push(tile(share(t.expiring_bytes, t.size_in_bytes), "of the keys' memory expires", plural(t.expiring_keys, "key")));
  const parts = futures().filter(modelled);
  if (parts.length) {
    const worst = Math.max(...parts.map(p => ratioOf(worstStep(p)))), rss = d3.sum(parts, p => p.forecast[0].used_memory_rss || 0);
    list.push(tile(worst.toFixed(2), "worst fragmentation to come", parts.length > 1 ? "of " + plural(parts.length, "dump") : stepWord(worstStep(parts[0]))));
    if (rss && parts.length === (report.nodes || [1]).length) list.push(tile(bytes(rss), "resident (RSS) after loading", null));
  }
  list.push(tile(count(report.big_keys.counts.keys), "big keys", "largest " + bytes(t.largest_key_bytes)));
  return el("div", {class: "tiles"}, list);
}

function glance() {
  section("glance", "At a glance", null, tiles(), el("ul", {class: "verdicts"}, verdicts().map(v =>
    el("li", {class: "verdict " + v.level}, el("span", {class: "sign", "aria-hidden": "true"}, SIGNS[v.level][0]),
       el("span", {class: "hidden"}, SIGNS[v.level][1] + ": "), el("span", {class: "say"}, v.text, " ",
       v.to && el("a", {href: "#" + v.to, class: "to"}, "more"))))));
}
