"""scripts/Containerfile, read strictly: two stages, tagged images, another user than root, files that there are."""
import json
import os
import re
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KNOWN = {"FROM", "WORKDIR", "COPY", "RUN", "USER", "ENTRYPOINT", "CMD"}


def instructions():
    """[(instruction, arguments)] with continued lines joined."""
    with open(os.path.join(ROOT, "scripts/Containerfile"), encoding="utf-8") as f:
        lines = [line for line in f.read().split("\n") if not line.startswith("#")]
    text = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(None, 1)) for line in text.split("\n") if line]


class Containerfile(unittest.TestCase):
    def setUp(self):
        self.all = instructions()
        starts = [i for i, (what, _) in enumerate(self.all) if what == "FROM"]
        self.assertEqual(len(starts), 2)
        self.assertEqual(starts[0], 0)
        self.build, self.image = self.all[:starts[1]], self.all[starts[1]:]

    def test_instructions(self):
        self.assertEqual({what for what, _ in self.all} - KNOWN, set())

    def test_images_have_tags(self):
        for what, rest in self.all:
            if what == "FROM":
                self.assertRegex(rest, r"^debian:12-slim( AS build)?$")

    def test_user_is_not_root(self):
        users = [rest for what, rest in self.image if what == "USER"]
        self.assertEqual(len(users), 1)
        self.assertGreater(int(users[0]), 0)
        made = [rest for what, rest in self.image if what == "RUN" and "useradd" in rest]
        self.assertIn("--uid %s " % users[0], made[0])
        self.assertLess(self.image.index(("RUN", made[0])), self.image.index(("USER", users[0])))

    def test_entry_point(self):
        points = [rest for what, rest in self.image if what == "ENTRYPOINT"]
        self.assertEqual([json.loads(p) for p in points], [["rdbmem"]])
        self.assertEqual([json.loads(rest) for what, rest in self.image if what == "CMD"], [["--help"]])

    def test_sources_are_there(self):
        for what, rest in self.build:
            if what == "COPY":
                for source in rest.split()[:-1]:
                    self.assertTrue(os.path.exists(os.path.join(ROOT, source)), source)

    def test_scripts_and_options(self):
        """What RUN calls of ours is there and takes what it is given."""
        for what, rest in self.build:
            for script in re.findall(r"\bscripts/\S+\.sh", rest) if what == "RUN" else ():
                self.assertTrue(os.access(os.path.join(ROOT, script), os.X_OK), script)
        run = " ".join(rest for what, rest in self.build if what == "RUN")
        self.assertIn("scripts/setup.sh build", run)
        self.assertIn("scripts/package.sh /build", run)

    def test_only_the_package_is_copied(self):
        copies = [rest for what, rest in self.image if what == "COPY"]
        self.assertEqual(copies, ["--from=build /rdbmem.deb /tmp/rdbmem.deb"])


if __name__ == "__main__":
    unittest.main()
