/* ledger.js - what used_memory is the sum of, and the sums by type, encoding, database and structure. */

function ledger() {
  const l = report.ledger, f = report.file;
  const parts = [["keys", l.keys, "l-keys", `${plural(report.load_as[report.load_as.chosen].keys, "key")}${report.load_as.chosen === "all" ? "" : " loaded by a " + report.load_as.chosen}`],
    ["keyspace tables", l.keyspace, "l-tables", "the databases' own tables"], ["functions", l.functions, "l-functions", ""],
    ["server's baseline", l.used_memory_startup, "l-base", "used_memory_startup"], ["client that asks", l.client, "l-client", "one connection for INFO"]];
  const rows = parts.map(([name, v, cls, remark], i) => [el("span", null, el("i", {class: "key " + cls, "aria-hidden": "true"}), (i ? "+ " : "") + name), bytes(v), {n: count(v)}, share(v, l.used_memory), remark]);
  const foot = ["= used_memory", bytes(l.used_memory), count(l.used_memory), "", l.used_memory_stderr ? "standard error " + bytes(l.used_memory_stderr) : "predicted"];
  const more = [];
  if (f && f.used_mem_claimed) {
    const d = f.used_mem_claimed - l.used_memory;
    more.push(`The server that wrote the dump said used-mem ${bytes(f.used_mem_claimed)}, ${bytes(Math.abs(d))} ${d < 0 ? "less" : "more"}: it was taken when the dump was saved, with what no dump holds.`);
  }
  if (l.used_memory_dataset) more.push(`INFO would also say: used_memory_dataset ${bytes(l.used_memory_dataset)}, used_memory_overhead ${bytes(l.used_memory_overhead)}, used_memory_peak ${bytes(l.used_memory_peak)}.`);
  more.push(`Not in any dump, so not in this sum: ${report.unknowable.map(u => UNKNOWABLE[u] || u).join(", ")}.`);
  section("ledger", "Memory after loading", null, placed(bar(...parts.map(([, v, cls]) => [v / (l.used_memory || 1), cls])), {}),
    table("Ledger", [["part"], ["memory", "n"], ["bytes", "n wide"], ["share", "n"], ["", "wide"]], rows, foot), more.map(m => el("p", {class: "small"}, m)));
  document.querySelector("#ledger > .bar").classList.add("tall");
}

function sumsPanel(heading, columns, list, name, whole, keysClass = "n") {
  const most = d3.max(list, t => t.size_in_bytes) || 1;
  const rows = list.map(t => [...name(t), count(t.keys), bytes(t.size_in_bytes), share(t.size_in_bytes, whole), share(own(t), t.size_in_bytes),
    bar([own(t) / most, "c-own"], [(t.size_in_bytes - own(t)) / most, "c-over"])]);
  return el("figure", {class: "panel"}, el("figcaption", null, heading),
    table(heading, [...columns, ["keys", keysClass], ["memory", "n"], ["share", "n"], ["own data", "n wide"], ["", "barred"]], rows));
}

function structures(whole) {
  const list = Object.entries(report.structures).filter(([, v]) => v > 0).sort((a, b) => b[1] - a[1]);
  const most = list.length ? list[0][1] : 1;
  return el("figure", {class: "panel"}, el("figcaption", null, "By structure: what the blocks are for"),
    table("Structures", [["structure"], ["memory", "n"], ["share", "n"], ["", "barred"]], list.map(([name, v]) => [name, bytes(v), share(v, whole), bar([v / most, "c-memory"])])));
}

function sums() {
  const whole = report.totals.size_in_bytes;
  if (!report.totals.keys) return;
  const byMemory = list => list.slice().sort((a, b) => b.size_in_bytes - a.size_in_bytes);
  const swatch = (t, encoding) => el("span", {class: "swatch"}, el("i", {class: "key " + typeClass(t), "aria-hidden": "true"}), typeWord(t), encoding && [" ", el("span", {class: "dim"}, encoding)]);
  const databases = report.databases.map(d => Object.assign({}, d, {tables: d.main_table_bytes + d.expires_table_bytes}));
  section("totals", "By type, encoding, database", null, legend(["c-own", "own data: names, strings, elements, scores"], ["c-over", "overhead"]), el("div", {class: "panels two"}, el("div", {class: "stack"},
    sumsPanel("By type", [["type"]], byMemory(report.types), t => [swatch(t.type)], whole),
    sumsPanel("By encoding", [["type and encoding"]], byMemory(report.encodings), t => [swatch(t.type, t.encoding)], whole, "n wide"),
    sumsPanel("By database", [["database"], ["tables", "n wide"]], databases, d => ["db" + d.database, bytes(d.tables)], whole)),
    el("div", {class: "stack"}, structures(d3.sum(Object.values(report.structures))))));
}

/* ---------------------------------------------------------------- what some dumps have */

function groupRows(list, name) {
  return list.map(g => [name(g), bytes(g.size_in_bytes), count(g.keys), bytes(g.average_bytes), bytes(g.p99_bytes), share(g.expiring_keys, g.keys)]);
}

const GROUP_COLUMNS = [["memory", "n"], ["keys", "n"], ["average", "n wide"], ["99 % at most", "n wide"], ["expiring", "n"]];

function customGroups() {
  const list = report.groups_custom || [];
  if (list.length) section("groups", "Groups", null, table("Groups", [["group"], ...GROUP_COLUMNS], groupRows(list, g => g.group)));
}

function slots() {
  const s = report.slots;
  if (!s) return;
  section("slots", "Cluster slots", `${plural(s.used, "slot")} used; a slot holds ${bytes(s.mean_bytes)} on average, half at most ${bytes(s.p50_bytes)}; the heaviest ${s.skew.toFixed(1)} times the average.`,
    el("div", {class: "panels two"}, el("figure", {class: "panel"}, el("figcaption", null, "Heaviest slots"),
      table("Heaviest slots", [["slot"], ["memory", "n"], ["share", "n"], ["keys", "n"]], s.heaviest.map(h => [count(h.slot), bytes(h.size_in_bytes), share(h.size_in_bytes, s.size_in_bytes), count(h.keys)]))),
    s.hash_tags.length ? el("figure", {class: "panel"}, el("figcaption", null, "Hash tags"),
      table("Hash tags", [["tag"], ...GROUP_COLUMNS], groupRows(s.hash_tags, t => t.tag === null ? `(${plural(t.folded_tags, "other")})` : nameNode(t.tag)))) : null));
}

function settings() {
  const list = report.distributions ? report.distributions.thresholds : [];
  const rows = list.filter(t => t.above.keys || t.below.keys).map(t => [t.setting, count(t.value), count(t.raised_to), count(t.above.keys), bytes(t.above.size_in_bytes),
    bytes(t.above.estimated_saving_bytes), count(t.below.keys), bytes(t.below.estimated_saving_bytes)]);
  if (rows.length) section("settings", "What settings save", "Collections up to a limit are packed: less memory, more work for each access. Estimates, by the average of what is packed now.",
    table("Settings", [["setting"], ["now", "n"], ["raised to", "n"], ["would be packed", "n"], ["of", "n wide"], ["saving", "n"], ["packed close below", "n wide"], ["which saves", "n wide"]], rows));
}

function evictionPart(part) {
  const e = part.eviction;
  const heading = doc.parts ? el("h3", null, el("bdi", null, part.file)) : null;
  if (e.over_by_bytes === 0) return [heading, el("p", null, `It fits into ${bytes(e.maxmemory)}: ${bytes(e.spare_bytes)} to spare, nothing would be evicted.`)];
  if (!e.order) return [heading, el("p", null, `used_memory is ${bytes(e.over_by_bytes)} over ${bytes(e.maxmemory)}. With ${e.policy} nothing is evicted: commands that need memory fail.`)];
  const frag = e.allocator_frag_ratio_after !== undefined ? ` The allocator would then hold ${bytes(e.allocator_active_after)} instead of ${bytes(e.allocator_active_before)}, allocator_frag_ratio ${e.allocator_frag_ratio_after.toFixed(2)}.` : "";
  return [heading, el("p", null, `${e.policy} would evict ${plural(e.keys, "key")} of ${count(e.keys_within_reach)} within its reach (${bytes(e.bytes)}); ${plural(e.keys_left, "key")} stay. Order: ${e.basis}.` +
      (e.still_over_by_bytes ? ` That does not suffice: ${bytes(e.still_over_by_bytes)} are still missing, and writes would fail.` : "") + frag),
    table("Evicted by prefix", [["prefix"], ["type"], ["evicted", "n"], ["share", "n"], ["keys", "n"], ["of", "n wide"]], e.prefixes.map(p =>
      [p.prefix === null ? "(other prefixes)" : p.prefix === "" ? "(names without ':')" : nameNode(p.prefix), p.type ? typeWord(p.type) : "", bytes(p.bytes), share(p.bytes, p.bytes_before), count(p.keys), count(p.keys_before)]))];
}

function eviction() {
  const parts = (doc.parts || [report]).filter(p => p.eviction);
  if (parts.length) section("eviction", "If maxmemory were " + bytes(parts[0].eviction.maxmemory), null, ...parts.map(evictionPart));
}
