"""What maxmemory would evict, of dumps in which the answer is known."""
import json
import math
import unittest

from clitest import CliTest
import rdbfile as r

MINUTE = 60 * 1000
VALUE = b"v" * 100


def expiring(minutes, name):
    return r.expire(r.CTIME * 1000 + minutes * MINUTE) + r.string(name, VALUE)


def name(prefix, i):
    return b"%s:%05d" % (prefix, i)


class Eviction(CliTest):
    def analyse(self, *records, config=(), args=(), **file):
        self.write("d.rdb", r.dump(r.select(0), *records, **file))
        out, _ = self.run_rdbmem("-fjson", "--target=redis:7.2", "--no-forecast", *args,
                                 *("--config=" + c for c in config), "d.rdb")
        return json.loads(out)

    def evict(self, keys, policy, records, size=None, **more):
        """The report when maxmemory is so that just so many keys of equal size must go."""
        whole = self.analyse(*records, **more)
        self.assertNotIn("eviction", whole)
        if size is None:
            size = whole["totals"]["size_in_bytes"] // whole["totals"]["keys"]
        # The policy is given here too, as it decides which integers are shared; these dumps have none.
        limit = whole["ledger"]["used_memory"] - keys * size + size // 2
        report = self.analyse(*records, config=("maxmemory=%d" % limit, "maxmemory-policy=" + policy), **more)
        e = report["eviction"]
        self.assertEqual(e["maxmemory"], limit)
        self.assertEqual(e["policy"], policy)
        self.assertEqual(e["over_by_bytes"], keys * size - size // 2)
        self.assertEqual(e["keys"] + e["keys_left"], whole["totals"]["keys"])
        self.assertEqual(e["used_memory_after"], whole["ledger"]["used_memory"] - e["bytes"])
        return e, size

    def losses(self, e):
        return {(p["prefix"], p["type"]): p["keys"] for p in e["prefixes"]}

    def test_soonest_expiry_goes_first(self):
        records = [expiring(600 + i, name(b"late", i)) for i in range(400)]
        records += [expiring(1 + i, name(b"soon", i)) for i in range(300)]
        records += [r.string(name(b"stay", i), VALUE) for i in range(100)]
        size = self.analyse(records[0])["totals"]["size_in_bytes"]
        for keys in (1, 57, 299, 300):
            e, _ = self.evict(keys, "volatile-ttl", records, size)
            self.assertEqual(e["order"], "ttl")
            self.assertEqual(e["keys"], keys)
            self.assertEqual(e["bytes"], keys * size)
            self.assertEqual(e["keys_within_reach"], 700)
            self.assertEqual(self.losses(e), {("soon:", "string"): keys})
            self.assertEqual(e["still_over_by_bytes"], 0)
        e, _ = self.evict(310, "volatile-ttl", records, size)
        self.assertEqual(self.losses(e), {("soon:", "string"): 300, ("late:", "string"): 10})

    def test_longest_idle_goes_first(self):
        records = [r.idle(100 + i % 50) + r.string(name(b"used", i), VALUE) for i in range(500)]
        records += [r.idle(86400 + 60 * i) + r.string(name(b"idle", i), VALUE) for i in range(200)]
        for keys in (1, 199, 200):
            e, size = self.evict(keys, "allkeys-lru", records)
            self.assertEqual(e["order"], "idle")
            self.assertEqual((e["keys"], e["bytes"]), (keys, keys * size))
            self.assertEqual(self.losses(e), {("idle:", "string"): keys})
        e, _ = self.evict(150, "volatile-lru", [r.expire(r.CTIME * 1000 + MINUTE) + x if i % 2 else x
                                                for i, x in enumerate(records)],
                          size=self.analyse(expiring(1, name(b"idle", 1)))["totals"]["size_in_bytes"])
        self.assertEqual(e["keys_within_reach"], 350)
        self.assertEqual(self.losses(e), {("idle:", "string"): 100, ("used:", "string"): 50})

    def test_least_used_goes_first(self):
        records = [r.freq(10 + i % 100) + r.string(name(b"hot", i), VALUE) for i in range(500)]
        records += [r.freq(i % 4) + r.string(name(b"cold", i), VALUE) for i in range(200)]
        records += [r.string(name(b"new", i), VALUE) for i in range(100)]  # counted as LFU_INIT_VAL, 5
        e, _ = self.evict(200, "allkeys-lfu", records)
        self.assertEqual(e["order"], "freq")
        self.assertEqual(self.losses(e), {("cold:", "string"): 200})
        e, _ = self.evict(300, "allkeys-lfu", records)
        self.assertEqual(self.losses(e), {("cold:", "string"): 200, ("new:", "string"): 100})

    def test_without_idle_times_all_look_alike(self):
        records = [r.string(name(b"p%d" % (i % 2), i), VALUE) for i in range(1000)]
        for policy, words in (("allkeys-lru", "no idle times"), ("allkeys-lfu", "no LFU counters")):
            e, _ = self.evict(100, policy, records)
            self.assertEqual(e["order"], "random")
            self.assertIn(words, e["basis"])
            self.assertEqual(e["keys"], 100)
            self.assertEqual(self.losses(e), {("p0:", "string"): 50, ("p1:", "string"): 50})

    def test_random(self):
        records = [r.string(name(b"s", i), VALUE) for i in range(900)]
        records += [expiring(5, name(b"t", i)) for i in range(100)]
        whole = self.analyse(*records)
        e, _ = self.evict(10, "allkeys-random", records)
        self.assertEqual(e["order"], "random")
        mean = whole["totals"]["size_in_bytes"] / 1000
        self.assertEqual(e["keys"], math.ceil(e["over_by_bytes"] / mean))
        e, _ = self.evict(10, "volatile-random", records)
        self.assertEqual(e["keys_within_reach"], 100)
        self.assertEqual(set(self.losses(e)), {("t:", "string")})

    def test_noeviction_and_room_to_spare(self):
        records = [r.string(name(b"a", i), VALUE) for i in range(100)]
        e, _ = self.evict(10, "noeviction", records)
        self.assertIsNone(e["order"])
        self.assertEqual((e["keys"], e["bytes"], e["prefixes"]), (0, 0, []))
        self.assertEqual(e["still_over_by_bytes"], e["over_by_bytes"])
        e = self.analyse(*records, config=("maxmemory=1gb", "maxmemory-policy=allkeys-random"))["eviction"]
        self.assertEqual((e["over_by_bytes"], e["keys"], e["prefixes"]), (0, 0, []))
        self.assertEqual(e["spare_bytes"] + e["used_memory_after"], 1 << 30)

    def test_too_little_within_reach(self):
        records = [r.string(name(b"a", i), VALUE) for i in range(100)] + [expiring(5, name(b"t", i)) for i in range(7)]
        e, _ = self.evict(50, "volatile-ttl", records)
        self.assertEqual((e["keys"], e["keys_left"]), (7, 100))
        self.assertEqual(e["still_over_by_bytes"], e["over_by_bytes"] - e["bytes"])
        self.assertGreater(e["still_over_by_bytes"], 0)

    def test_slabs(self):
        """Keys that go in the order of the file take their slabs with them, those that go at random do not."""
        big = b"v" * 2500
        records = [r.idle(2 * i if i < 2000 else i) + r.string(name(b"a", i), big) for i in range(4000)]
        all_gone, _ = self.evict(4000, "allkeys-lru", records)
        self.assertEqual(all_gone["keys_left"], 0)
        self.assertLess(all_gone["allocator_active_after"],
                        all_gone["allocator_active_before"] - all_gone["bytes"] * 0.95)
        half, _ = self.evict(2000, "allkeys-lru", records)
        random, _ = self.evict(2000, "allkeys-random", records)
        self.assertLess(half["allocator_frag_ratio_after"], 1.25)
        self.assertGreater(random["allocator_frag_ratio_after"], 1.7)
        self.assertEqual(half["allocator_active_before"], random["allocator_active_before"])

    def test_prefixes(self):
        records = [r.string(b"plain%d" % i, VALUE) for i in range(10)]
        records += [r.string(b"%d:x" % (1000 + i), VALUE) for i in range(10)]
        records += [r.plain_set(name(b"set", i), [b"a", b"b"]) for i in range(10)]
        records += [r.string(b"p%s:x" % (b"abcdefgh"[i % 8:i % 8 + 1] * (i + 1)), VALUE) for i in range(1100)]
        e = self.analyse(*records, config=("maxmemory=1", "maxmemory-policy=allkeys-random"),
                         args=("--top=100000",))["eviction"]
        self.assertEqual(e["keys_left"], 0)
        losses = self.losses(e)
        self.assertEqual(losses[("", "string")], 10)
        self.assertEqual(losses[("*:", "string")], 10)
        self.assertEqual(losses[("set:", "set")], 10)
        self.assertEqual(sum(p["keys"] for p in e["prefixes"]), e["keys"])
        self.assertEqual(sum(p["bytes"] for p in e["prefixes"]), e["bytes"])

    def test_unknown_policy_is_noted(self):
        notes = self.analyse(r.string(b"a", b"b"), config=("maxmemory=1", "maxmemory-policy=allkeys-lrm"))["notes"]
        self.assertTrue(any("allkeys-lrm" in n for n in notes), notes)

    def test_text(self):
        self.write("d.rdb", r.dump(r.select(0), *(expiring(i, name(b"a", i)) for i in range(100))))
        config = "--config=maxmemory-policy=volatile-ttl"
        out = self.run_rdbmem("--config=maxmemory=1gb", config, "d.rdb")[0].decode()
        self.assertIn("If maxmemory were 1.00 GiB", out)
        self.assertIn("It fits", out)
        out = self.run_rdbmem("--config=maxmemory=900kb", config, "d.rdb")[0].decode()
        self.assertIn("volatile-ttl would evict", out)
        self.assertIn('"a:"', out)
        out = self.run_rdbmem("--config=maxmemory=900kb", "d.rdb")[0].decode()
        self.assertIn("With noeviction nothing is evicted", out)
        self.assertNotIn("maxmemory were", self.run_rdbmem("d.rdb")[0].decode())


if __name__ == "__main__":
    unittest.main()
