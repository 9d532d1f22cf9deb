/* shards.js - several dumps: each a server of its own. */

function shards() {
  if (!report.nodes) return;
  const most = d3.max(report.nodes, n => n.used_memory) || 1, future = Object.fromEntries((doc.parts || []).map(p => [p.file, p]));
  const rows = report.nodes.map(n => {
    const part = future[n.file], worst = part && modelled(part) ? ratioOf(worstStep(part)) : null;
    return [el("span", null, nameNode(n.file), n.complete ? null : el("b", {class: "bad"}, " incomplete")), count(n.keys), bytes(n.used_memory), share(n.used_memory, report.ledger.used_memory), worst === null ? "" : worst.toFixed(2), bar([n.used_memory / most, "c-memory"])];
  });
  const d = report.dumps, cut = doc.cut.nodes;
  section("dumps", "Dumps", `${plural(d.given, "dump")}, ${count(d.complete)} of them read whole, ${bytes(d.rdb_bytes)} of RDB.${cut ? ` The first ${count(report.nodes.length)} are listed.` : ""}`,
    table("Dumps", [["file"], ["keys", "n"], ["used_memory", "n"], ["share", "n"], ["worst frag", "n"], ["", "barred"]], rows,
      ["all", count(report.totals.keys), bytes(report.ledger.used_memory), "", "", ""]));
}
