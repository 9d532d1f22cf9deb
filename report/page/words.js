/* words.js - numbers, times and names as people read them, in the words of the text report. */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

function unitOf(v) {
  let i = 0;
  for (v = Math.abs(v); v >= 1024 && i < UNITS.length - 1; v /= 1024) i++;
  return i;
}

function bytes(v) {
  if (v === null || v === undefined) return "";
  const i = unitOf(v);
  return i === 0 ? Math.round(v) + " B" : (v / 1024 ** i).toFixed(2) + " " + UNITS[i];
}

/* For axes: no more digits than it takes. */
function shortBytes(v) {
  const i = unitOf(v);
  return Number((v / 1024 ** i).toPrecision(3)) + " " + UNITS[i];
}

const count = d3.format(",d");

/* 2.1 M, for axes and tiles. */
function shortCount(v) {
  const s = d3.format(v < 1000 ? "d" : ".3~s")(v);
  return s.replace("G", "B").replace(/([kMBT])$/, " $1");
}

/* Numbers may take less room than their text: own data is never more than all. */
function own(t) {
  return Math.min(t.payload_bytes, t.size_in_bytes);
}

function share(part, whole) {
  return whole > 0 ? (100 * part / whole).toFixed(1) + " %" : "-";
}

function duration(s) {
  if (s < 120) return Math.round(s) + " s";
  if (s < 7200) return Math.round(s / 60) + " min";
  if (s < 2 * 86400) return Math.round(s / 3600) + " h";
  if (s < 730 * 86400) return Math.round(s / 86400) + " days";
  return (s / (365.25 * 86400)).toFixed(1) + " years";
}

function time(ms) {
  const d = new Date(ms);
  return isNaN(d) ? "at an unknown time" : d.toISOString().slice(0, 19).replace("T", " ") + " UTC";
}

/* One line of an adding machine: 1 key, 2 keys. */
function plural(n, one, many) {
  return count(n) + " " + (n === 1 ? one : many || one + "s");
}

const TYPE_WORDS = {sortedset: "zset"};
const KNOWN_TYPES = ["string", "list", "set", "zset", "hash", "stream", "module", "vectorset", "array", "json"];

function typeWord(type) {
  return TYPE_WORDS[type] || type;
}

function typeClass(type) {
  const word = typeWord(type);
  return "t-" + (KNOWN_TYPES.includes(word) ? word : "other");
}

/* What cannot be seen, or would turn the line around, stands as \xHH or \uHHHH. */
function visible(name) {
  return name.replace(/[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g, c => {
    const code = c.charCodeAt(0);
    return code < 256 ? "\\x" + code.toString(16).padStart(2, "0") : "\\u" + code.toString(16).padStart(4, "0");
  });
}

function nameNode(name, attributes) {
  return el("bdi", Object.assign({class: "name"}, attributes), visible(name) || "(empty name)");
}

function stepWord(step) {
  if (step.deleted_percent > 0) return "then " + Math.round(step.deleted_percent) + " % deleted";
  if (step.horizon_seconds === 0) return "after load";
  if (step.horizon_seconds === null) return "all expiries passed";
  return "in " + stepShort(step).replace(" m", " min").replace(/ d$/, step.horizon_seconds === 86400 ? " day" : " days");
}

function stepShort(step) {
  if (step.deleted_percent > 0) return "−" + Math.round(step.deleted_percent) + " %";
  if (step.horizon_seconds === 0) return "load";
  if (step.horizon_seconds === null) return "all";
  const s = step.horizon_seconds;
  return s % 86400 === 0 ? s / 86400 + " d" : s % 3600 === 0 ? s / 3600 + " h" : s % 60 === 0 ? s / 60 + " m" : s + " s";
}

/* What used_memory holds and no dump does. */
const UNKNOWABLE = {
  mem_clients_normal: "buffers of connected clients", mem_clients_slaves: "replicas' output buffers",
  mem_replication_backlog: "replication backlog", mem_aof_buffer: "AOF buffer", mem_cluster_links: "cluster links",
  used_memory_vm_eval: "Lua and other script engines", used_memory_scripts_eval: "cached EVAL scripts",
  mem_overhead_db_hashtable_rehashing: "tables being rehashed", pubsub_and_tracking: "subscriptions, watched and tracked keys",
  string_spare_room: "spare room of strings that grew by APPEND, SETRANGE or SETBIT",
  module_private: "what modules hold besides their keys",
};
