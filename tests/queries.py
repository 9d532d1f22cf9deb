"""The queries in docs/queries.md, by engine: the tests run them as they stand there."""
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def queries(engine):
    with open(os.path.join(ROOT, "docs/queries.md"), encoding="utf-8") as f:
        return [q.strip() for q in re.findall(r"^```sql %s\n(.*?)^```$" % engine, f.read(), re.M | re.S)]
