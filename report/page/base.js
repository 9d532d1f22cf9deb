/* base.js - the data, and elements made without markup: every string from a dump goes through text nodes only. */

const doc = JSON.parse(document.getElementById("data").textContent);
const report = doc.report;
const SVG = "http://www.w3.org/2000/svg";

/* el("td", {class: "n", onclick: f}, child...): attributes, listeners, and children as nodes or text. */
function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(2)) {
    if (child !== null && child !== undefined && child !== false)
      node.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/* Widths and places by way of the object model, which the page's policy admits; a style attribute it does not. */
function placed(node, styles) {
  for (const [name, value] of Object.entries(styles)) node.style.setProperty(name, value);
  return node;
}

function clear(node) {
  while (node.firstChild) node.removeChild(node.firstChild);
  return node;
}

/* Draws again when the box has another width; print gets what was drawn last, scaled by its viewBox. */
function drawn(box, draw) {
  let last = 0;
  const again = () => {
    const width = Math.floor(box.clientWidth);
    if (width > 0 && width !== last) {
      last = width;
      draw(width);
    }
  };
  new ResizeObserver(() => requestAnimationFrame(again)).observe(box);
  again();
  return {redraw: () => { last = 0; again(); }};
}

/* ---------------------------------------------------------------- sections */

const sections = [];

/* A section of the page, with its place in the list of sections. */
function section(id, heading, lead, ...children) {
  const node = el("section", {id, "aria-labelledby": id + "-h"}, el("h2", {id: id + "-h"}, heading),
                  lead && el("p", {class: "lead"}, lead), ...children);
  sections.push(id);
  document.getElementById("main").appendChild(node);
  return node;
}

/* Cells: text, node, or {n: text of a number, sort, class}. */
function cell(tag, value) {
  if (value instanceof Node) return el(tag, null, value);
  if (value && typeof value === "object") return el(tag, {class: ["n", value.class].filter(Boolean).join(" "), title: value.title}, value.n);
  return el(tag, null, value === null || value === undefined ? "" : value);
}

/* What is wider than its place scrolls by itself, and only then is a stop of the Tab key. */
const overflow = new ResizeObserver(entries => entries.forEach(({target: box}) => {
  const over = box.scrollWidth > box.clientWidth + 1;
  for (const [name, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", box.dataset.caption]]) {
    if (over) box.setAttribute(name, value);
    else box.removeAttribute(name);
  }
}));

function scrolling(caption, child) {
  const box = el("div", {class: "scroll", "data-caption": caption}, child);
  overflow.observe(box);
  return box;
}

/* table("Databases", [["database"], ["keys", "n"]], rows): "n" for numbers, "wide" for what a narrow screen leaves out. */
function table(caption, columns, rows, foot) {
  const classes = columns.map(c => c[1] || null);
  const row = (values, tag) => el("tr", null, values.map((v, i) => {
    const td = i === 0 ? cell("th", v) : cell(tag, v);
    if (i === 0) td.setAttribute("scope", "row");
    if (classes[i]) td.classList.add(...classes[i].split(" "));
    return td;
  }));
  return scrolling(caption,
    el("table", null, el("caption", {class: "hidden"}, caption),
       el("thead", null, el("tr", null, columns.map(c => el("th", {scope: "col", class: c[1]}, c[0])))),
       el("tbody", null, rows.map(r => row(r, "td"))),
       foot && el("tfoot", null, row(foot, "td"))));
}

/* A bar in a table's cell: parts are [share of the full width, class]. */
function bar(...parts) {
  return el("span", {class: "bar", "aria-hidden": "true"}, parts.map(([share, name]) =>
    placed(el("span", {class: name}), {width: (100 * Math.max(0, Math.min(1, share || 0))).toFixed(2) + "%"})));
}

/* ---------------------------------------------------------------- what floats beside the pointer */

const tip = document.getElementById("tip");

function showTip(event, ...lines) {
  clear(tip);
  lines.forEach((line, i) => tip.appendChild(el("div", {class: i ? null : "strong"}, line)));
  tip.hidden = false;
  const x = Math.min(event.clientX + 14, document.documentElement.clientWidth - tip.offsetWidth - 8);
  const y = event.clientY + 18 + tip.offsetHeight > innerHeight ? event.clientY - tip.offsetHeight - 10 : event.clientY + 18;
  placed(tip, {left: Math.max(4, x) + "px", top: Math.max(4, y) + "px"});
}

function hideTip() {
  tip.hidden = true;
}

addEventListener("keydown", e => { if (e.key === "Escape") hideTip(); });
addEventListener("scroll", hideTip, {passive: true});
