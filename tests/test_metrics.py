"""OpenMetrics and Prometheus' text format: their syntax, and the whole way through node_exporter and Prometheus."""
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse
import urllib.request

from clitest import CliTest
import rdbfile as r

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CHAIN = ("prometheus", "promtool", "prometheus-node-exporter")
DUMP = os.path.join(os.environ.get("TESTDATA", os.path.join(ROOT, "testdata")), "redis-7.2-mix.rdb")
NOT_UTF8 = [b"\xff", b"\xe9", b"cut \xe4\xb8"]
HOSTILE = NOT_UTF8 + [b"", b'quote"', b"back\\slash", b"new\nline", b"nul\x00", b"cr\r", b"tab\t", b"brace}", b"a,b=\"c\"", "中文键".encode(),
                      b"# EOF", b"\\n", b"\\xFF", b"x" * 5000]


def unescape(text):
    return re.sub(r'\\([\\"n])', lambda m: "\n" if m.group(1) == "n" else m.group(1), text)


class Family:
    def __init__(self, name, kind):
        self.name, self.kind, self.unit, self.help, self.samples = name, kind, "", None, []


def parse(text, openmetrics):
    """The strict reading of OpenMetrics 1.0's ABNF, as far as rdbmem uses it: {name: Family}."""
    families, now, seen = {}, None, set()
    assert text.endswith("\n")
    lines = text[:-1].split("\n")
    if openmetrics:
        assert lines.pop() == "# EOF"
    for line in lines:
        if line.startswith("# "):
            _, what, name, value = line.split(" ", 3)
            if now is None or now.name != name:
                assert what == "TYPE" and name not in families, line
                assert value in (("gauge", "info", "gaugehistogram") if openmetrics else ("gauge", "histogram")), line
                now = families[name] = Family(name, value)
            elif what == "UNIT":
                assert openmetrics and name.endswith("_" + value) and not now.unit and not now.samples, line
                now.unit = value
            else:
                assert what == "HELP" and now.help is None and not now.samples, line
                now.help = value
            continue
        m = re.fullmatch(r'([a-zA-Z_][a-zA-Z0-9_]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*"(?:,(?=[a-z]))?)+)\})? (-?[0-9.]+(?:e[+-]?\d+)?|NaN)', line)
        assert m, line
        name, labels, value = m.groups()
        suffixes = {"gauge": [""], "info": ["_info"], "gaugehistogram": ["_bucket", "_gcount", "_gsum"], "histogram": ["_bucket", "_count", "_sum"]}
        assert name[len(now.name):] in suffixes[now.kind] and name.startswith(now.name), line
        assert (name, labels) not in seen, line
        seen.add((name, labels))
        pairs = re.findall(r'(\w+)="((?:[^"\\\n]|\\.)*)"', labels or "")
        assert len(pairs) == len({n for n, _ in pairs}), line
        now.samples.append((name, {n: unescape(v) for n, v in pairs}, float(value)))
    for f in families.values():
        assert f.help, f.name
        assert f.samples, f.name
        for unit in ("bytes", "seconds", "ratio"):
            assert not openmetrics or f.kind == "info" or f.name.endswith("_" + unit) == (f.unit == unit), f.name
    return families


class Syntax(CliTest):
    def metrics(self, *args, kind="openmetrics", **kw):
        return parse(self.run_rdbmem("-f" + kind, *args, **kw)[0].decode("utf-8"), kind == "openmetrics")

    def value(self, families, name, **labels):
        found = [v for n, l, v in families[name].samples if all(l.get(k) == w for k, w in labels.items())]
        self.assertEqual(len(found), 1, (name, labels))
        return found[0]

    def test_agrees_with_the_document(self):
        args = ("--group=users=^user", "--top=5", "--fail-on=big-key", DUMP)
        m = self.metrics(*args, status=3)
        j = json.loads(self.run_rdbmem("-fjson", *args, status=3)[0])
        for name, value in (("rdbmem_memory_used_bytes", j["ledger"]["used_memory"]), ("rdbmem_memory_used_dataset_bytes", j["ledger"]["used_memory_dataset"]),
                            ("rdbmem_memory_used_stderr_bytes", j["ledger"]["used_memory_stderr"]), ("rdbmem_keys", j["totals"]["keys"]),
                            ("rdbmem_keys_big", j["big_keys"]["counts"]["keys"]), ("rdbmem_rdb_last_save_timestamp_seconds", j["file"]["ctime"]),
                            ("rdbmem_rdb_current_size_bytes", j["file"]["rdb_bytes"]), ("rdbmem_dump_complete", 1),
                            ("rdbmem_dump_claimed_memory_used_bytes", j["file"]["used_mem_claimed"]), ("rdbmem_keys_expiring", j["totals"]["expiring_keys"])):
            self.assertEqual(self.value(m, name), value, name)
        self.assertEqual(sum(v for _, _, v in m["rdbmem_ledger_bytes"].samples), j["ledger"]["used_memory"])
        self.assertEqual(sum(v for _, _, v in m["rdbmem_encoding_memory_bytes"].samples), j["totals"]["size_in_bytes"])
        self.assertEqual([(l["key"], v) for _, l, v in m["rdbmem_key_memory_bytes"].samples],
                         [(k["key"], k["size_in_bytes"]) for k in j["top_keys_by_bytes"]])
        self.assertEqual({l["key_group"]: v for _, l, v in m["rdbmem_key_group_keys"].samples}, {g["group"]: g["keys"] for g in j["groups_custom"]})
        self.assertEqual(self.value(m, "rdbmem_audit_rule_broken", rule="big-key"), 1)
        heavy = {(p["prefix"], p["depth"]): p["size_in_bytes"] for p in j["groups"]["prefixes"][1:] if not p["other"]}
        shown = {(l["prefix"], int(l["depth"])): v for _, l, v in m["rdbmem_prefix_memory_bytes"].samples}
        self.assertEqual(set(shown.items()) - set(heavy.items()), set())
        self.assertEqual(sorted(shown.values()), sorted(heavy.values())[-100:])
        for step in j["forecast"]:
            horizon = "all" if step["horizon_seconds"] is None else "%d" % step["horizon_seconds"]
            for name, member in (("memory_used_bytes", "used_memory"), ("memory_used_rss_bytes", "used_memory_rss")):
                self.assertAlmostEqual(self.value(m, "rdbmem_forecast_" + name, horizon=horizon), step[member], delta=1 + step[member] * 1e-5)
            self.assertAlmostEqual(self.value(m, "rdbmem_forecast_mem_fragmentation_ratio", horizon=horizon), step["mem_fragmentation_ratio"], delta=1e-4)

    def test_histograms(self):
        m = self.metrics(DUMP)
        j = json.loads(self.run_rdbmem("-fjson", DUMP)[0])
        f = m["rdbmem_keys_by_memory_bytes"]
        self.assertEqual(f.kind, "gaugehistogram")
        buckets = [(float(l["le"]), v) for n, l, v in f.samples if n.endswith("_bucket")]
        self.assertEqual(buckets, sorted(buckets))
        self.assertEqual([v for _, v in buckets], sorted(v for _, v in buckets))
        self.assertEqual(buckets[-1], (float("inf"), j["totals"]["keys"]))
        self.assertEqual({n: v for n, l, v in f.samples if not l}, {f.name + "_gcount": j["totals"]["keys"], f.name + "_gsum": j["totals"]["size_in_bytes"]})
        ttl = m["rdbmem_keys_by_ttl_seconds"].samples
        self.assertEqual(ttl[-1][1:], ({"le": "+Inf"}, j["totals"]["expiring_keys"]))

    def test_hostile_names(self):
        self.write("d\"\n\\.rdb", r.dump(r.select(0), *(r.string(n, b"v" * 90) for n in HOSTILE), *(r.string(b"p\xff\n\":%d" % i, b"v") for i in range(50))))
        for kind in ("openmetrics", "prometheus"):
            m = self.metrics("--top=1000", "--group=g\"\\=x", "d\"\n\\.rdb", kind=kind)
            keys = [l["key"] for _, l, _ in m["rdbmem_key_memory_bytes"].samples]
            self.assertEqual(len(keys), len(HOSTILE) - 1 + 50)  # "\xFF" is the text of b"\xff" too
            for name in HOSTILE:
                if name not in NOT_UTF8 and name not in (b"nul\x00", b"cr\r", b"tab\t"):
                    self.assertIn(name.decode(), keys)
            for want in ("\\xE9", "cut \\xE4\\xB8", "nul\\x00", "cr\\x0D"):
                self.assertIn(want, keys)
            self.assertIn("p\\xFF\n\":", [l["prefix"] for _, l, _ in m["rdbmem_prefix_keys"].samples])
            self.assertEqual([l["file"] for _, l, _ in m["rdbmem_file_keys"].samples], ["d\"\n\\.rdb"])

    def test_series_are_bounded(self):
        self.write("d.rdb", r.dump(r.select(0), *(r.string(b"%c%c:%d" % (97 + p % 26, 97 + p // 26, i), b"v" * 40) for p in range(300) for i in range(12))))
        m = self.metrics("--top=5000", "--groups=5000", "d.rdb")
        self.assertEqual(len(m["rdbmem_key_memory_bytes"].samples), 100)
        self.assertEqual(len(m["rdbmem_prefix_keys"].samples), 100)
        self.assertGreater(self.value(m, "rdbmem_number_of_prefixes"), 200)
        self.assertLess(sum(len(f.samples) for f in m.values()), 1500)

    def test_same_key_twice_is_one_series(self):
        self.write("d.rdb", r.dump(r.select(0), r.string(b"a", b"v"), r.string(b"a", b"v" * 100)))
        self.assertEqual(len(self.metrics("d.rdb")["rdbmem_key_memory_bytes"].samples), 1)

    def test_namespace(self):
        m = self.metrics("--metrics-namespace=redis", DUMP)
        self.assertEqual([n for n in m if not n.startswith("redis_")], [])
        self.assertIn("redis_memory_used_bytes", m)
        for bad in ("", "1a", "a-b", "a:b", "é", "a" * 65):
            self.fails("--metrics-namespace=" + bad, "-fopenmetrics", DUMP, status=2, says=b"metrics-namespace")

    def test_damaged_and_several(self):
        self.write("a.rdb", r.dump(r.select(0), r.string(b"k", b"v")))
        self.write("b.rdb", b"REDIS")
        self.write("c.rdb", self.read("a.rdb"))
        for kind in ("openmetrics", "prometheus"):
            m = self.metrics("a.rdb", "b.rdb", "c.rdb", status=1, kind=kind)
            self.assertEqual(self.value(m, "rdbmem_dump_complete"), 0)
            self.assertEqual([v for _, _, v in m["rdbmem_file_complete"].samples], [1, 0, 1])
            self.assertEqual(m["rdbmem_key_memory_bytes"].samples[0][1]["file"], "a.rdb")
            m = self.metrics("b.rdb", status=1, kind=kind)
            self.assertEqual(self.value(m, "rdbmem_dump_complete"), 0)
            self.assertEqual(self.value(m, "rdbmem_keys"), 0)

    def test_empty_keys(self):
        """rdb.c rdbLoadObject since 6.2: a collection without elements is passed over (empty_keys_skipped)."""
        self.write("d.rdb", r.dump(r.select(0), r.string(b"k", b"v"), r.plain_list(b"l", []), r.plain_hash(b"h", [])))
        m = self.metrics("--target=redis:7.2", "d.rdb")
        self.assertEqual([self.value(m, "rdbmem_keys" + kind) for kind in ("", "_empty")], [3, 2])
        self.assertEqual(self.value(self.metrics("--target=redis:6.0", "d.rdb"), "rdbmem_keys_empty"), 0)

    def test_nothing_is_no_series(self):
        self.write("d.rdb", r.dump())
        self.assertEqual(self.value(self.metrics("d.rdb"), "rdbmem_keys"), 0)
        m = self.metrics("--target=redis:3.2", DUMP)
        self.assertIn("rdbmem_key_memory_bytes", m)
        self.assertNotIn("rdbmem_key_memory_usage_bytes", m)

    def test_allocators_without_slabs(self):
        m = self.metrics("--allocator=libc", DUMP)
        self.assertIn("rdbmem_forecast_memory_used_bytes", m)
        self.assertNotIn("rdbmem_mem_fragmentation_ratio", m)
        self.assertNotIn("rdbmem_forecast_memory_used_bytes", self.metrics("--no-forecast", DUMP))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Page(http.server.BaseHTTPRequestHandler):
    content = b""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *args):
        pass


@unittest.skipUnless(all(map(shutil.which, CHAIN)), "needs " + ", ".join(CHAIN))
class Chain(CliTest):
    """One Prometheus scrapes the textfile collector and, as OpenMetrics, a page with the other format."""

    def start(self, *command):
        log = open(self.path(os.path.basename(command[0]) + ".log"), "wb")
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.dir)
        log.close()

        def stop():
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.addCleanup(stop)
        return process

    def start_page(self, content):
        Page.content = content
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server.server_address[1]

    def start_prometheus(self, node, page):
        self.port = free_port()
        self.write("prometheus.yml", ("""
global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 1s}
rule_files: ["%s/docs/alerts.yml"]
scrape_configs:
  - {job_name: node, static_configs: [{targets: ["127.0.0.1:%d"]}]}
  - {job_name: page, static_configs: [{targets: ["127.0.0.1:%d"]}]}
""" % (ROOT, node, page)).encode())
        self.start("prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:%d" % self.port)

    def api(self, path, **query):
        url = "http://127.0.0.1:%d/api/v1/%s?%s" % (self.port, path, urllib.parse.urlencode(query))
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)

    def query(self, expression):
        answer = self.api("query", query=expression)
        self.assertEqual(answer["status"], "success", answer)
        return answer["data"]["result"]

    def wait_for(self, expression, seconds=25):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                found = self.query(expression)
                if found:
                    return found
            except OSError:
                pass
            time.sleep(0.2)
        logs = "".join(self.read(n).decode(errors="replace")[-1500:] for n in ("prometheus.log", "prometheus-node-exporter.log"))
        self.fail("%s: nothing after %d s\n%s" % (expression, seconds, logs))

    def check_dashboard(self, instance):
        with open(os.path.join(ROOT, "docs/grafana-dashboard.json"), encoding="utf-8") as f:
            board = json.load(f)
        queries = [t["expr"] for p in board["panels"] for t in p["targets"]]
        self.assertGreater(len(queries), 20)
        for q in queries:
            filled = q.replace("$instance", instance).replace("$depth", "1")
            self.assertNotIn("$", filled)
            self.assertNotEqual(self.query(filled), [], q)
        for v in board["templating"]["list"][1:]:
            series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", v["query"]["query"]).groups()
            self.assertNotEqual(self.api("label/%s/values" % label, **{"match[]": series.replace("$instance", instance)})["data"], [])

    def test_all_the_way(self):
        os.mkdir(self.path("textfile"))
        args = ("-q", "--top=30", "--group=users=^user", "--fail-on=used-memory>1K", DUMP)
        self.run_rdbmem("--format=prometheus:textfile/rdbmem.prom", "--format=openmetrics:page", *args, status=3)
        j = json.loads(self.run_rdbmem("-fjson", *args, status=3)[0])
        node = free_port()
        self.start("prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile", "--collector.textfile.directory=textfile",
                   "--web.listen-address=127.0.0.1:%d" % node)
        self.start_prometheus(node, self.start_page(self.read("page")))
        used = self.wait_for('rdbmem_memory_used_bytes{job="node"}')
        self.assertEqual(float(used[0]["value"][1]), j["ledger"]["used_memory"])
        self.assertEqual(self.query("node_textfile_scrape_error")[0]["value"][1], "0")
        page = self.wait_for('rdbmem_memory_used_bytes{job="page"}')
        self.assertEqual(float(page[0]["value"][1]), j["ledger"]["used_memory"])
        self.assertEqual({v["metric"]["key"] for v in self.query('rdbmem_key_memory_bytes{job="node"}')},
                         {k["key"] for k in j["top_keys_by_bytes"]})
        # whatever way it came, it is the same: but for the names of the histograms' sums
        for job, other in (("node", "page"), ("page", "node")):
            self.assertEqual(self.query('{__name__=~"rdbmem_.*",__name__!~".*_g?(count|sum|bucket)",job="%s"} unless ignoring(job, instance) '
                                        '{__name__=~"rdbmem_.*",job="%s"}' % (job, other)), [])
        self.check_dashboard(used[0]["metric"]["instance"])
        self.assertEqual({g["alertname"] for g in (a["metric"] for a in self.wait_for('ALERTS{alertname="RdbmemRuleBroken"}'))}, {"RdbmemRuleBroken"})
        health = {t["scrapePool"]: t["health"] for t in self.api("targets")["data"]["activeTargets"]}
        self.assertEqual(health, {"node": "up", "page": "up"})

    def test_promtool_is_silent(self):
        self.write("d.rdb", r.dump(r.select(0), *(r.string(n, b"v") for n in HOSTILE)))
        for args in ((DUMP,), ("d.rdb",), ("--group=a=b", "--slots", "--top=100", "--metrics-namespace=redis", DUMP, "d.rdb")):
            text = self.run_rdbmem("-fprometheus", *args)[0]
            done = subprocess.run(["promtool", "check", "metrics"], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertEqual((done.returncode, done.stdout), (0, b""))

    def test_alerts(self):
        for command in (["check", "rules", "docs/alerts.yml"], ["test", "rules", "docs/alerts.test.yml"]):
            done = subprocess.run(["promtool", *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertEqual(done.returncode, 0, done.stdout.decode())
        with open(os.path.join(ROOT, "docs/alerts.yml")) as f:
            alerts = set(re.findall(r"alert: (\w+)", f.read()))
        with open(os.path.join(ROOT, "docs/alerts.test.yml")) as f:
            self.assertEqual(alerts, set(re.findall(r"alertname: (\w+)", f.read())))


if __name__ == "__main__":
    if not all(map(shutil.which, CHAIN)):
        print("test_metrics.py: the chain is not tested, for want of " + ", ".join(c for c in CHAIN if not shutil.which(c)), file=sys.stderr)
    unittest.main()
