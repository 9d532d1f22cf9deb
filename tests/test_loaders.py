"""CSV and NDJSON as DuckDB and ClickHouse load them, by the recipes of docs/queries.md. Skipped where neither is there:
scripts/setup.sh installs npm's @duckdb/node-api and Debian's clickhouse-server where it can."""
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import unittest

from clitest import CliTest
from queries import ROOT, queries

DUMP = os.path.join(os.environ.get("TESTDATA", os.path.join(ROOT, "testdata")), "redis-7.2-mix.rdb")
HAVE_CLICKHOUSE = bool(shutil.which("clickhouse-server") and shutil.which("clickhouse-client"))


def node_modules():
    """Where @duckdb/node-api is, or None."""
    if not shutil.which("node"):
        return None
    places = [os.environ.get("RDBMEM_NODE_MODULES", ""), os.path.join(ROOT, "build-npm/node_modules"), "/usr/local/lib/node_modules",
              "/usr/lib/node_modules"]
    return next((p for p in places if p and os.path.isdir(os.path.join(p, "@duckdb/node-api"))), None)


DUCKDB = node_modules()


class Loader(CliTest):
    def setUp(self):
        super().setUp()
        self.run_rdbmem("--format=csv:keys.csv", "--format=ndjson:keys.ndjson", "--big=bytes=2K", "--slots", DUMP)
        self.document = json.loads(self.run_rdbmem("-fjson", "--big=bytes=2K", "--slots", DUMP)[0])

    def lines(self):
        return [json.loads(line) for line in self.read("keys.ndjson").splitlines()]


@unittest.skipUnless(DUCKDB, "no @duckdb/node-api")
class DuckDb(Loader):
    def run_sql(self, statements):
        done = subprocess.run(["node", os.path.join(ROOT, "tests/duckdb.js"), DUCKDB], input=json.dumps(statements).encode(), cwd=self.dir,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return json.loads(done.stdout)

    def test_recipes(self):
        found = queries("duckdb")
        self.assertGreaterEqual(len(found), 4)
        own = ["SELECT count(*), sum(size_in_bytes), sum(overhead_bytes), count(expiry), sum(len(flags) - len(replace(flags, 'big_bytes', ''))) / 9 FROM keys",
               "SELECT count(*), sum(size_in_bytes), sum(overhead_bytes), count(expiry), count(*) FILTER (list_contains(flags, 'big_bytes')) FROM lines",
               "SELECT count(*) FROM keys JOIN lines USING (database, key) WHERE keys.expiry IS DISTINCT FROM lines.expiry"]
        answers = self.run_sql(found + own)
        for sql, rows in zip(found, answers):
            if sql.startswith("SELECT"):
                self.assertNotEqual(rows, [], sql)
        t = self.document["totals"]
        want = [t["keys"], t["size_in_bytes"], t["overhead_bytes"], t["expiring_keys"], self.document["big_keys"]["counts"]["by_bytes"]]
        self.assertEqual([[round(float(v)) for v in rows[0]] for rows in answers[-3:-1]], [want, want])
        self.assertEqual([int(v) for v in answers[-1][0]], [0])


@unittest.skipUnless(HAVE_CLICKHOUSE, "no clickhouse-server")
class ClickHouse(Loader):
    CONFIG = """<yandex><logger><level>error</level><console>1</console></logger><tcp_port>%d</tcp_port><listen_host>127.0.0.1</listen_host>
<path>%s/data/</path><tmp_path>%s/tmp/</tmp_path><mark_cache_size>10000000</mark_cache_size><users_config>users.xml</users_config>
<default_profile>default</default_profile><default_database>default</default_database></yandex>"""
    USERS = """<yandex><profiles><default/></profiles><users><default><password></password><networks><ip>127.0.0.1</ip></networks>
<profile>default</profile><quota>default</quota></default></users><quotas><default/></quotas></yandex>"""

    def setUp(self):
        super().setUp()
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.write("config.xml", (self.CONFIG % (self.port, self.dir, self.dir)).encode())
        self.write("users.xml", self.USERS.encode())
        with open(self.path("server.log"), "wb") as log:
            server = subprocess.Popen(["clickhouse-server", "--config-file=config.xml"], cwd=self.dir, stdout=log, stderr=log)

        def stop():
            server.kill()
            server.wait()
        self.addCleanup(stop)
        until = time.monotonic() + 20
        while self.client("SELECT 1").returncode != 0:
            if time.monotonic() > until or server.poll() is not None:
                self.skipTest("clickhouse-server does not come up: " + self.read("server.log").decode(errors="replace")[-300:])
            time.sleep(0.2)

    def client(self, sql, data=None, *args):
        return subprocess.run(["clickhouse-client", "--host=127.0.0.1", "--port=%d" % self.port, *args, "--query", sql], cwd=self.dir,
                              stdin=data or subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)

    def answer(self, sql, *args):
        done = self.client(sql, None, *args)
        self.assertEqual(done.returncode, 0, done.stderr.decode(errors="replace"))
        return [row.split("\t") for row in done.stdout.decode().splitlines()]

    def load(self, sql, name, *args):
        with open(self.path(name), "rb") as f:
            done = self.client(sql, f, *args)
        self.assertEqual(done.returncode, 0, done.stderr.decode(errors="replace"))

    def test_recipes(self):
        found = queries("clickhouse")
        self.assertGreaterEqual(len(found), 5)
        for sql in found:
            if sql.startswith("CREATE"):
                self.answer(sql)
        self.load("INSERT INTO keys FORMAT CSVWithNames", "keys.csv")
        self.load("INSERT INTO lines FORMAT JSONEachRow", "keys.ndjson", "--input_format_skip_unknown_fields=1")
        for sql in found:
            if sql.startswith("SELECT"):
                self.assertNotEqual(self.answer(sql), [], sql)
        t = self.document["totals"]
        for table in ("keys", "lines"):
            self.assertEqual(self.answer("SELECT count(), sum(size_in_bytes), sum(overhead_bytes) FROM " + table),
                             [[str(t["keys"]), str(t["size_in_bytes"]), str(t["overhead_bytes"])]])
        self.assertEqual(self.answer("SELECT countIf(slot IS NULL) FROM keys"), [["0"]])
        self.assertEqual(self.answer("SELECT countIf(idle_seconds IS NULL) FROM lines"), [[str(t["keys"])]])
        self.assertEqual(sorted(row[0] for row in self.answer("SELECT key FROM lines")),
                         sorted(k["key"].replace("\\", "\\\\") for k in self.lines()))


if __name__ == "__main__":
    if not DUCKDB and not HAVE_CLICKHOUSE:
        print("test_loaders.py: neither DuckDB (@duckdb/node-api) nor clickhouse-server is here, skipped")
        sys.exit(77)
    unittest.main()
