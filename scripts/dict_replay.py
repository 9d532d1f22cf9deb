"""What keys pay for shared buckets while a dict of Redis 8.2 or 8.4 grows, replayed with hashes drawn at random.

dict.c of those servers: a bucket's first key stands in it as a bare pointer, each further one in an entry of 16 bytes in
front of it. When the table is full, one of twice the size is begun, and each insertion first moves one bucket of the old
table (_dictRehashStepIfNeeded): that of the key looked up if there is one and the moving has not passed it, else the next
one. A key moved into an empty bucket gives its entry back, a bare one moved into a taken bucket gets one
(rehashEntriesInBucketAtIndex). So a key may be charged for what happens to others. The table of expiries has the same
hashes and another size.
"""
import random

ENTRY, BARE_VISITS = 16, 10


class Dict:
    def __init__(self):
        self.table, self.next = [[] for _ in range(4)], None
        self.used = self.left = self.at = 0     # left: keys in the old table

    def insert(self, key):
        """Bytes that this costs in entries."""
        paid = self.step(key) if self.next else 0
        if not self.next and self.used == len(self.table):
            self.next, self.left, self.at = [[] for _ in range(2 * self.used)], self.used, 0
        into = self.next or self.table
        bucket = into[key % len(into)]
        paid += ENTRY if bucket else 0
        bucket.append(key)
        self.used += 1
        return paid

    def step(self, key):
        here, visits = key % len(self.table), BARE_VISITS
        if here < self.at or not self.table[here]:
            while not self.table[self.at]:
                self.at, visits = self.at + 1, visits - 1
                if not visits:
                    return 0
            here, self.at = self.at, self.at + 1
        return self.move(here)

    def move(self, here):
        paid = 0
        for n, key in reversed(list(enumerate(self.table[here]))):      # the latest stands in front
            bucket = self.next[key % len(self.next)]
            if n and not bucket:
                paid -= ENTRY
            elif not n and bucket:
                paid += ENTRY
            bucket.append(key)
        self.left -= len(self.table[here])
        self.table[here] = []
        if not self.left:
            self.table, self.next = self.next, None
        return paid


def draws(keys, seed):
    """keys: (database, whether it expires) in order. What each of them is charged."""
    hashes, tables, out = random.Random(seed), {}, []
    for database, expires in keys:
        main, expiring = tables.setdefault(database, (Dict(), Dict()))
        key = hashes.getrandbits(62)
        out.append(main.insert(key) + (expiring.insert(key) if expires else 0))
    return out
