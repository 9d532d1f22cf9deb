/* main.js - the page from top to bottom. */

function headline() {
  const f = report.file, t = report.target;
  const writer = f ? `${f.writer} ${f.writer_version || "(version unknown)"}` : plural(report.dumps.given, "dump");
  const where = f ? (f.path === "-" ? "standard input" : visible(f.path)) : "";
  document.title = `${report.ledger ? bytes(report.ledger.used_memory) + " - " : ""}${where || writer} - Redis memory report`;
  const age = f && f.ctime > 0 ? (Date.now() / 1000 - f.ctime) : null;
  const saved = !f ? "" : f.ctime > 0 ? `, saved ${time(f.ctime * 1000)}${age > 0 ? `, ${duration(age)} ago` : ""}` : ", age unknown";
  const lines = [f ? [`Dump of ${writer}${saved}: `, el("bdi", {class: "name"}, where)] : [`${writer} together`]];
  if (f && t) lines.push([`RDB version ${f.rdb_version}, ${bytes(f.rdb_bytes)}, checksum ${f.checksum.state}. Priced for ${t.name} (${t.chosen_by}) with ${t.allocator}.`]);
  else if (t) lines.push([`Priced for ${t.name} (${t.chosen_by}) with ${t.allocator}.`]);
  if (report.names_hashed) lines.push(["Names are not the keys' own."]);
  const into = document.getElementById("subtitle");
  lines.forEach((line, i) => { if (i) into.appendChild(el("br")); line.forEach(part => into.append(part)); });
  document.getElementById("made").textContent = `Made by ${doc.generator.name} ${doc.generator.version}. All figures are computed from the dump; no server was asked. Nothing is loaded from a network and nothing leaves this page.`;
}

/* ---------------------------------------------------------------- light and dark */

const THEMES = ["auto", "light", "dark"];

function setTheme(theme) {
  if (theme === "auto") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.setAttribute("data-theme", theme);
  const button = document.getElementById("theme");
  button.textContent = "Theme: " + theme;
  button.setAttribute("data-now", theme);
  try {
    localStorage.setItem("rdbmem-theme", theme);
  } catch (e) {
    /* a page from a file may have no storage: then the choice holds until it is closed */
  }
}

function storedTheme() {
  try {
    return THEMES.includes(localStorage.getItem("rdbmem-theme")) ? localStorage.getItem("rdbmem-theme") : "auto";
  } catch (e) {
    return "auto";
  }
}

function tools() {
  const button = document.getElementById("theme");
  setTheme(storedTheme());
  button.addEventListener("click", () => setTheme(THEMES[(THEMES.indexOf(button.getAttribute("data-now")) + 1) % THEMES.length]));
  document.getElementById("print").addEventListener("click", () => print());
}

/* ---------------------------------------------------------------- all of it */

/* What is folded up on the screen is open on paper, and folded again after. */
function printing() {
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("main details:not([open])")];
    opened.forEach(d => { d.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach(d => { d.open = false; }));
}

const SHORT = {glance: "Findings", dumps: "Dumps", ledger: "Ledger", map: "Prefixes", keys: "Keys", totals: "Totals", distributions: "Distributions", forecast: "Forecast",
  eviction: "maxmemory", settings: "Settings", slots: "Slots", groups: "Groups", rebuild: "Rebuilt"};

function navigation() {
  const list = document.getElementById("nav");
  sections.forEach(id => list.appendChild(el("li", null, el("a", {href: "#" + id}, SHORT[id]))));
  document.querySelectorAll("a.to").forEach(a => { if (!document.getElementById(a.getAttribute("href").slice(1))) a.remove(); });
}

function everything() {
  headline();
  if (!report.target || (report.file && report.file.rdb_version === 0)) {
    section("glance", "At a glance", null, el("p", {class: "verdict bad"}, report.error ? `Nothing could be read: ${report.error.expected || report.error.kind}.` : "Nothing could be read."));
    return;
  }
  glance();
  shards();
  ledger();
  treemap();
  keys();
  sums();
  distributions();
  forecast();
  eviction();
  settings();
  slots();
  customGroups();
  rebuilt();
}

tools();
everything();
navigation();
printing();
