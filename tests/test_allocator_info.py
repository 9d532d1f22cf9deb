"""What the allocator counts beyond used_memory after a load, as INFO of a real redis-server shows it: loads of few size classes, whose
thread caches the collector empties meanwhile, and of many. Skipped without Debian's redis-server 7.0 (system jemalloc)."""
import json
import subprocess
import time
import unittest

import differential
from clitest import RDBGEN, CliTest

KB = 1000
LOADS = [("small", 50000), ("streams", 100), ("lzf", 8000), ("mixed", 5000)]
CACHES = 220 * KB  # the standard error that the report gives is 80; a server differs from itself by 50
PAGES = 250 * KB


@unittest.skipUnless(differential.server_version() == (7, 0), "no redis-server 7.0 with jemalloc")
class AllocatorInfo(CliTest):
    def info(self):
        """INFO memory of a server that has loaded dump.rdb, once its cron has asked the allocator."""
        server = differential.Server(self.dir)
        server.start()
        try:
            time.sleep(1.5)
            client = server.connect()
            text = client.call("INFO", "memory").decode()
            client.close()
        finally:
            server.stop()
        return {k: v for k, _, v in (line.partition(":") for line in text.splitlines())}

    def test_loads(self):
        for mix, keys in LOADS:
            with self.subTest(mix):
                subprocess.run([RDBGEN, f"--mix={mix}", f"--keys={keys}", "-o", self.path("dump.rdb")], check=True)
                info = self.info()
                document = json.loads(self.run_rdbmem("-fjson", "--target=redis:7.0", "--allocator=jemalloc-q16", "dump.rdb")[0])
                loaded = document["forecast"][0]
                for name, most in ("allocator_allocated", CACHES), ("allocator_active", PAGES):
                    real = int(info[name]) - int(info["used_memory"])
                    said = loaded[name] - loaded["used_memory"]
                    print(mix, name, "beyond used_memory:", real, said, said - real)
                    self.assertLess(abs(said - real), most, name)


if __name__ == "__main__":
    unittest.main()
