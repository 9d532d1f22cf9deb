/* keys.js - the largest keys: sorted by the buttons of the column heads, filtered by text, type and database. */

const FIRST_ROWS = 25, MORE_ROWS = 100;
const BIG_WORDS = {big_bytes: "memory", big_elements: "elements", big_element: "long element"};

const keyColumn = Object.fromEntries(doc.keys.columns.map((name, i) => [name, i]));
const keyRows = doc.keys.rows.map(values => Object.fromEntries(doc.keys.columns.map((name, i) => [name, values[i]])));

for (const k of keyRows) {
  k.type = typeWord(k.type);
  k.flagList = k.flags ? k.flags.split(" ") : [];
  k.big = k.flagList.filter(f => BIG_WORDS[f]);
  k.shown = visible(k.key) || "(empty name)";
  k.left = k.expiry ? (Date.parse(k.expiry) - report.target.now_ms) / 1000 : Infinity;
}

const byNumber = name => (a, b) => (a[name] === null ? -1 : a[name]) - (b[name] === null ? -1 : b[name]);
const byText = name => (a, b) => a[name] < b[name] ? -1 : a[name] > b[name] ? 1 : 0;
const some = name => keyRows.some(k => k[name] !== null);

/* id, words, order, classes, content; first: the way in which a click sorts at first. */
function keyColumns() {
  const list = [
    {id: "size_in_bytes", words: "Memory", order: byNumber("size_in_bytes"), cls: "n", first: -1, show: k => (k.flagList.includes("lower_bound") ? "≥ " : k.flagList.includes("estimate") ? "~" : "") + bytes(k.size_in_bytes)},
    {id: "key", words: "Key", order: byText("shown"), cls: "k", first: 1, show: keyCell},
    {id: "type", words: "Type", order: (a, b) => byText("type")(a, b) || byText("encoding")(a, b), first: 1, show: k => el("span", {class: "swatch"}, el("i", {class: "key " + typeClass(k.type), "aria-hidden": "true"}), k.type, " ", el("span", {class: "dim"}, k.encoding))},
    {id: "num_elements", words: "Elements", order: byNumber("num_elements"), cls: "n", first: -1, show: k => k.type === "string" ? "" : count(k.num_elements)},
    {id: "len_largest_element", words: "Longest", order: byNumber("len_largest_element"), cls: "n wide", first: -1, show: k => bytes(k.len_largest_element)},
    {id: "payload_bytes", words: "Own data", order: (a, b) => a.payload_bytes / a.size_in_bytes - b.payload_bytes / b.size_in_bytes, cls: "n wide", first: 1, show: k => share(own(k), k.size_in_bytes)},
    {id: "expiry", words: "Expires", order: byNumber("left"), cls: "n", first: 1, show: k => el("span", {title: k.expiry && time(Date.parse(k.expiry))}, !k.expiry ? "never" : k.left < 0 ? "expired" : duration(k.left))},
  ];
  if (some("idle_seconds")) list.push({id: "idle_seconds", words: "Idle", order: byNumber("idle_seconds"), cls: "n", first: -1, show: k => k.idle_seconds === null ? "" : duration(k.idle_seconds)});
  if (some("lfu_freq")) list.push({id: "lfu_freq", words: "LFU", order: byNumber("lfu_freq"), cls: "n", first: -1, show: k => k.lfu_freq === null ? "" : count(k.lfu_freq)});
  if (report.databases.length > 1) list.push({id: "database", words: "DB", order: byNumber("database"), cls: "n", first: 1, show: k => String(k.database)});
  if (some("slot")) list.push({id: "slot", words: "Slot", order: byNumber("slot"), cls: "n wide", first: 1, show: k => k.slot === null ? "" : String(k.slot)});
  if (report.nodes) list.push({id: "file", words: "Dump", order: byNumber("file"), cls: "wide", first: 1, show: k => el("bdi", null, fileName(k.file))});
  return list;
}

function fileName(i) {
  const node = report.nodes && report.nodes[i];
  return node ? visible(node.file) : "dump " + (i + 1);
}

/* The name, and of a big key why it is big and what helps. */
function keyCell(k) {
  const cut = k.name_bytes > 300 ? el("span", {class: "dim"}, ` … ${count(k.name_bytes)} bytes`) : null;
  const why = k.big.length ? el("span", {class: "why"}, el("b", null, k.flagList.includes("allowed") ? "big, allowed" : "big"), " by " + k.big.map(f => BIG_WORDS[f]).join(", ") + ": " + doc.keys.advice[k.advice] + ".") : null;
  return el("span", null, nameNode(k.key), cut, why);
}

/* "user:*:cart": parts in this order, anywhere in the name; * stands for anything. */
function matcher(text) {
  const parts = text.toLowerCase().split("*").filter(Boolean);
  return k => {
    let at = 0;
    const name = k.lower || (k.lower = k.shown.toLowerCase());
    return parts.every(p => {
      const found = name.indexOf(p, at);
      at = found + p.length;
      return found >= 0;
    });
  };
}

class KeyTable {
  constructor() {
    this.columns = keyColumns();
    this.by = this.columns[0];
    this.way = -1;
    this.rows = FIRST_ROWS;
    this.text = el("input", {type: "search", id: "key-text", placeholder: "part of a name, * for anything", autocomplete: "off", spellcheck: "false", oninput: () => this.again()});
    this.type = this.choice("key-type", "all types", [...new Set(keyRows.map(k => k.type))].sort().map(t => [t, t]));
    this.db = this.choice("key-db", "all databases", [...new Set(keyRows.map(k => k.database))].sort((a, b) => a - b).map(d => [d, "db" + d]));
    this.onlyBig = el("input", {type: "checkbox", id: "key-big", onchange: () => this.again()});
    this.said = el("p", {class: "small", id: "key-count", role: "status"});
    this.heads = el("tr", null, this.columns.map(c => this.head(c)));
    this.body = el("tbody");
    this.more = el("button", {type: "button", id: "key-more", onclick: () => { this.rows += MORE_ROWS; this.show(); }}, "Show more");
  }

  choice(id, all, options) {
    return el("select", {id, onchange: () => this.again()}, el("option", {value: ""}, all), options.map(([v, words]) => el("option", {value: v}, words)));
  }

  head(c) {
    c.th = el("th", {scope: "col", class: c.cls}, el("button", {type: "button", class: "sort", "data-sort": c.id, onclick: () => this.sort(c)}, c.words, el("span", {class: "way", "aria-hidden": "true"})));
    return c.th;
  }

  sort(c) {
    this.way = this.by === c ? -this.way : c.first;
    this.by = c;
    this.again();
  }

  again() {
    this.rows = FIRST_ROWS;
    this.show();
  }

  found() {
    const matches = matcher(this.text.value.trim()), type = this.type.value, db = this.db.value;
    const list = keyRows.filter(k => (!type || k.type === type) && (db === "" || String(k.database) === db) && (!this.onlyBig.checked || k.big.length) && matches(k));
    return list.sort((a, b) => this.way * this.by.order(a, b) || b.size_in_bytes - a.size_in_bytes);
  }

  show() {
    const list = this.found();
    for (const c of this.columns) {
      c.th.setAttribute("aria-sort", c !== this.by ? "none" : this.way > 0 ? "ascending" : "descending");
      c.th.querySelector(".way").textContent = c !== this.by ? "" : this.way > 0 ? "▲" : "▼";
    }
    clear(this.body);
    for (const k of list.slice(0, this.rows))
      this.body.appendChild(el("tr", {class: k.big.length ? "big" : null}, this.columns.map(c => el("td", {class: c.cls, "data-label": c.words}, c.show(k)))));
    if (!list.length) this.body.appendChild(el("tr", null, el("td", {colspan: this.columns.length, class: "none"}, "No key matches.")));
    this.said.textContent = `${count(Math.min(this.rows, list.length))} of ${plural(list.length, "key")} shown` + (list.length === keyRows.length ? "" : `; ${count(keyRows.length)} are in this page`);
    this.more.hidden = list.length <= this.rows;
  }

  filter(text) {
    this.text.value = text;
    this.type.value = this.db.value = "";
    this.onlyBig.checked = false;
    this.again();
  }
}

let keyTable = null;

function showKeys(text) {
  if (!keyTable) return;
  keyTable.filter(text);
  document.getElementById("keys").scrollIntoView();
  keyTable.text.focus({preventScroll: true});
}

function limitWords() {
  const t = report.big_keys.thresholds, list = [];
  if (t.bytes !== null) list.push(bytes(t.bytes) + " of memory");
  if (t.elements !== null) list.push(plural(t.elements, "element"));
  if (t.element !== null) list.push("an element of " + bytes(t.element));
  return list.join(", or ") + (Object.keys(report.big_keys.thresholds_by_type).length ? "; some types have limits of their own" : "");
}

function keys() {
  if (!keyRows.length) return;
  const t = keyTable = new KeyTable(), all = report.totals.keys, c = report.big_keys.counts.keys, here = keyRows.filter(k => k.big.length).length;
  const lead = `The ${count(keyRows.length)} largest of ${plural(all, "key")}, by memory and by elements. Big is a key of ${limitWords()}: ${count(c)} are${here < c ? `, of which ${count(here)} are listed` : ""}.`;
  section("keys", "Largest keys", lead, el("div", {class: "filters"}, el("label", {for: "key-text"}, "Name ", t.text), el("label", {for: "key-type"}, "Type ", t.type),
    report.databases.length > 1 ? el("label", {for: "key-db"}, "Database ", t.db) : null, c ? el("label", {for: "key-big", class: "check"}, t.onlyBig, " only big ones") : null),
  t.said, scrolling("Largest keys", el("table", {class: "keys"}, el("caption", {class: "hidden"}, "Largest keys; the heads of the columns sort"), el("thead", null, t.heads), t.body)), t.more);
  t.show();
}
