/* treemap.js - memory by prefix: cells are buttons, so that they can be reached, opened and read without a pointer. */

/* The rows of the report stand as a tree in preorder. A node: {row, name, children, parent, rest}. */
function prefixTree(rows) {
  const root = {row: rows[0], children: [], parent: null};
  let at = root;
  for (const row of rows.slice(1)) {
    while (at.row.depth >= row.depth || at.row.other) at = at.parent;
    const node = {row, children: [], parent: at};
    at.children.push(node);
    at = node;
  }
  finishNode(root);
  return root;
}

/* What the light prefixes take that are not in the page; and chains of only children become one node. */
function finishNode(node) {
  for (let i = 0; i < node.children.length; i++) {
    let child = node.children[i];
    while (child.children.length === 1 && child.children[0].row.size_in_bytes === child.row.size_in_bytes && !child.children[0].row.other) child = child.children[0];
    child.parent = node;
    node.children[i] = child;
    finishNode(child);
  }
  if (!node.children.length) return;
  const left = node.row.size_in_bytes - d3.sum(node.children, c => c.row.size_in_bytes);
  if (left > 0) node.children.push({rest: true, parent: node, children: [], row: {prefix: node.row.prefix, other: true, folded_prefixes: 0, size_in_bytes: left,
    keys: node.row.keys - d3.sum(node.children, c => c.row.keys), types: {}}});
  node.children.sort((a, b) => a.row.other - b.row.other || b.row.size_in_bytes - a.row.size_in_bytes);
}

function nodeName(node) {
  if (!node.parent) return "all keys";
  if (!node.row.other) return visible(node.row.prefix);
  const words = node.row.folded_prefixes ? plural(node.row.folded_prefixes, "other") : "the rest";
  return (node.row.prefix ? visible(node.row.prefix) + " " : "") + "(" + words + ")";
}

/* What is new about a child's name: the parent's is in the breadcrumb. */
function shortName(node) {
  const parent = node.parent ? node.parent.row.prefix : "";
  if (node.row.other) return node.row.folded_prefixes ? `(${plural(node.row.folded_prefixes, "other")})` : "(the rest)";
  const name = node.row.prefix.startsWith(parent) ? node.row.prefix.slice(parent.length) : node.row.prefix;
  return visible(name) || "(no more)";
}

function mainType(row) {
  const types = Object.entries(row.types || {});
  return types.length ? types.reduce((a, b) => b[1].size_in_bytes > a[1].size_in_bytes ? b : a)[0] : null;
}

const EXPIRY_STEPS = 5;

function colourOf(row, by) {
  if (by === "expiry") return row.expiring_bytes === undefined ? "t-other" : "e-" + Math.min(EXPIRY_STEPS - 1, Math.floor(EXPIRY_STEPS * row.expiring_bytes / (row.size_in_bytes || 1)));
  const type = mainType(row);
  return type ? typeClass(type) : "t-other";
}

/* ---------------------------------------------------------------- what is said of a cell */

function facts(node) {
  const r = node.row, all = report.totals.size_in_bytes;
  const list = [["memory", `${bytes(r.size_in_bytes)}, ${share(r.size_in_bytes, all)} of all`], ["keys", count(r.keys)]];
  if (r.average_bytes !== undefined) {
    list.push(["average", bytes(r.average_bytes)], ["half at most", bytes(r.p50_bytes)], ["99 % at most", bytes(r.p99_bytes)], ["largest", bytes(r.largest_key_bytes)],
      ["expiring", `${share(r.expiring_keys, r.keys)} of keys, ${bytes(r.expiring_bytes)}`]);
    list.push(["types", Object.entries(r.types).sort((a, b) => b[1].size_in_bytes - a[1].size_in_bytes).map(([t, s]) => `${typeWord(t)} ${share(s.size_in_bytes, r.size_in_bytes)}`).join(", ")]);
    if (r.missing_at_most_bytes) list.push(["may lack", bytes(r.missing_at_most_bytes)]);
  }
  return list;
}

/* The prefix as the table of keys filters by. */
function asFilter(node) {
  return node.row.prefix && !node.row.other ? node.row.prefix : null;
}

/* ---------------------------------------------------------------- the map */

class Treemap {
  constructor(root, parts) {
    Object.assign(this, parts);
    this.at = this.root = root;
    this.by = "type";
    this.chosen = null;
    this.cells = [];
    this.box.addEventListener("keydown", e => this.key(e));
    this.view = drawn(this.box, width => this.draw(width));
    this.tell(root);
  }

  /* Opens a node, or chooses one that has nothing inside. */
  open(node, focus) {
    this.tell(node);
    if (!node.children.length) {
      this.chosen = node;
      this.cells.forEach(c => c.button.setAttribute("aria-pressed", c.node === node ? "true" : "false"));
      return;
    }
    const from = this.at;
    this.at = node;
    this.chosen = null;
    this.view.redraw();
    if (focus) this.focus(this.cells.find(c => c.node === from) || this.cells[0]);
  }

  up() {
    if (this.at.parent) this.open(this.at.parent, true);
  }

  focus(cell) {
    if (!cell) return;
    this.cells.forEach(c => { c.button.tabIndex = c === cell ? 0 : -1; });
    cell.button.focus();
  }

  /* Arrows go to the nearest cell on that side. */
  key(event) {
    const way = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
    if (event.key === "Escape" || event.key === "Backspace") {
      event.preventDefault();
      this.up();
    } else if (event.key === "Home" || event.key === "End") {
      event.preventDefault();
      this.focus(this.cells[event.key === "Home" ? 0 : this.cells.length - 1]);
    } else if (way) {
      event.preventDefault();
      this.focus(this.nearest(way));
    }
  }

  nearest([dx, dy]) {
    const here = this.cells.find(c => c.button === document.activeElement) || this.cells[0];
    let best = null, least = Infinity;
    for (const cell of this.cells) {
      const along = (cell.x - here.x) * dx + (cell.y - here.y) * dy, aside = Math.abs((cell.x - here.x) * dy) + Math.abs((cell.y - here.y) * dx);
      if (cell !== here && along > 1 && along + 2 * aside < least) {
        least = along + 2 * aside;
        best = cell;
      }
    }
    return best;
  }

  draw(width) {
    const height = Math.max(280, Math.min(520, Math.round(width * 0.55)));
    placed(clear(this.box), {height: height + "px"});
    this.box.size = {x0: 0, y0: 0, x1: width, y1: height};
    const tree = d3.hierarchy(this.at, n => n === this.at ? n.children : n.parent === this.at ? n.children : []).sum(n => n === this.at || (n.parent === this.at && n.children.length) ? 0 : n.row.size_in_bytes);
    d3.treemap().size([width, height]).round(true).paddingInner(2).paddingTop(n => n.depth === 1 && n.children && n.x1 - n.x0 > 30 && n.y1 - n.y0 > 40 ? 20 : 0)(tree);
    const nodes = (tree.children || []).filter(n => n.x1 - n.x0 >= 1 && n.y1 - n.y0 >= 1);
    this.cells = nodes.map((n, i) => this.cell(n, i));
    this.crumbs();
    this.list();
  }

  cell(n, i) {
    const node = n.data, w = n.x1 - n.x0, h = n.y1 - n.y0, open = node.children.length > 0;
    const label = `${nodeName(node)}: ${bytes(node.row.size_in_bytes)}, ${share(node.row.size_in_bytes, this.at.row.size_in_bytes)} of ${nodeName(this.at)}, ${plural(node.row.keys, "key")}${open ? ", opens" : ""}`;
    const button = placed(el("button", {type: "button", class: "cell " + colourOf(node.row, this.by) + (open ? " open" : ""), tabindex: i === 0 ? "0" : "-1", "aria-label": label,
      "aria-pressed": open ? null : String(node === this.chosen),
      onclick: e => this.open(node, e.detail === 0), onfocus: () => this.tell(node), onmouseenter: () => this.tell(node), onmouseleave: () => this.tell(this.chosen || this.at)}),
      this.place(n, this.box.size));
    const headed = n.children && n.children.some(c => c.y0 > n.y0), much = `${bytes(node.row.size_in_bytes)} · ${share(node.row.size_in_bytes, this.at.row.size_in_bytes)}`;
    if (headed) n.children.filter(c => c.x1 - c.x0 > 4 && c.y1 - c.y0 > 4).forEach(inner => button.appendChild(this.inner(n, inner)));
    button.appendChild(this.label(w, h, shortName(node), headed ? null : much, headed && w > 200 ? much : null));
    this.box.appendChild(button);
    return {node, button, x: (n.x0 + n.x1) / 2, y: (n.y0 + n.y1) / 2};
  }

  /* In parts of what is around it, so that paper of another width has the whole map. */
  place(n, around) {
    const w = (around.x1 - around.x0) / 100, h = (around.y1 - around.y0) / 100;
    return {left: (n.x0 - around.x0) / w + "%", top: (n.y0 - around.y0) / h + "%", width: (n.x1 - n.x0) / w + "%", height: (n.y1 - n.y0) / h + "%"};
  }

  /* What is inside of a cell, to be seen only: it is opened by the cell. */
  inner(outer, n) {
    const w = n.x1 - n.x0, h = n.y1 - n.y0;
    const part = placed(el("span", {class: "inner " + colourOf(n.data.row, this.by)}), this.place(n, outer));
    part.appendChild(this.label(w, h, shortName(n.data), bytes(n.data.row.size_in_bytes), null));
    return part;
  }

  /* As much as there is room for. */
  label(w, h, name, below, beside) {
    return el("span", {class: "words"}, w > 34 && h > 15 && el("span", {class: "what"}, name, beside && el("span", {class: "beside"}, beside)), below && w > 60 && h > 34 && el("span", {class: "much"}, below));
  }

  crumbs() {
    const path = [];
    for (let n = this.at; n; n = n.parent) path.unshift(n);
    const list = el("ol", null, path.map((n, i) => el("li", null, i === path.length - 1 ? el("span", {"aria-current": "location"}, i ? shortName(n) : nodeName(n)) :
      el("button", {type: "button", class: "link", onclick: () => this.open(n, true)}, i ? shortName(n) : nodeName(n)))));
    clear(this.trail).appendChild(list);
    this.trail.appendChild(el("button", {type: "button", class: "up", disabled: !this.at.parent, onclick: () => this.up()}, "Up"));
  }

  tell(node) {
    clear(this.about).appendChild(el("h3", null, el("bdi", {class: node.parent ? "name" : null}, nodeName(node))));
    this.about.appendChild(el("dl", null, facts(node).map(([k, v]) => el("div", null, el("dt", null, k), el("dd", null, v)))));
    const filter = asFilter(node);
    if (filter) this.about.appendChild(el("button", {type: "button", class: "link", onclick: () => showKeys(filter)}, "Its largest keys"));
  }

  /* The level as a table, for those who compare numbers. */
  list() {
    const whole = this.at.row.size_in_bytes;
    const rows = this.at.children.map(n => [n.children.length ? el("button", {type: "button", class: "link name", onclick: () => this.open(n, false)}, shortName(n)) : el("bdi", {class: "name"}, shortName(n)),
      bytes(n.row.size_in_bytes), share(n.row.size_in_bytes, whole), count(n.row.keys), n.row.average_bytes === undefined ? "" : bytes(n.row.average_bytes),
      n.row.p99_bytes === undefined ? "" : bytes(n.row.p99_bytes), n.row.expiring_keys === undefined ? "" : share(n.row.expiring_keys, n.row.keys)]);
    clear(this.level).appendChild(table("Prefixes of this level", [["prefix"], ["memory", "n"], ["share", "n"], ["keys", "n"], ["average", "n wide"], ["99 % at most", "n wide"], ["expiring", "n"]], rows));
  }

  colour(by) {
    this.by = by;
    this.view.redraw();
    clear(this.legend).appendChild(by === "expiry" ? legend(...d3.range(EXPIRY_STEPS).map(i => ["e-" + i, `${100 * i / EXPIRY_STEPS}–${100 * (i + 1) / EXPIRY_STEPS} % expires`])) :
      legend(...report.types.map(t => [typeClass(t.type), typeWord(t.type)])));
  }
}

function treemap() {
  const rows = report.groups ? report.groups.prefixes : [];
  if (rows.length < 2) return;
  const parts = {box: el("div", {class: "map", role: "group", "aria-label": "Memory by prefix: arrows move, Enter opens, Escape goes up"}), trail: el("nav", {class: "crumbs", "aria-label": "Prefix"}),
    about: el("div", {class: "about", "aria-live": "polite"}), level: el("div"), legend: el("div")};
  const by = el("select", {id: "colour", onchange: () => map.colour(by.value)}, el("option", {value: "type"}, "type that takes most"), el("option", {value: "expiry"}, "share that expires"));
  section("map", "Memory by prefix", "Area is memory. Identifiers in names stand as *. Click, or arrows and Enter, to open a prefix; Escape to go up.",
    el("div", {class: "row"}, parts.trail, el("label", {class: "tool"}, "Colour: ", by)), el("div", {class: "mapped"}, el("div", null, parts.box, parts.legend), parts.about),
    el("details", null, el("summary", null, "This level as a table"), parts.level));
  const map = new Treemap(prefixTree(rows), parts);
  map.colour("type");
  const g = report.groups;
  if (g.merged_while_reading)
    document.getElementById("map").appendChild(el("p", {class: "small"}, `There are more prefixes than can be told apart: ${plural(g.merged_while_reading, "time")} a small one was merged into others. Sums are exact.`));
  return map;
}
