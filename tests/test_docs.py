"""docs/usage.md, README.md and --help name every option, column, flag and member that there is."""
import json
import os
import re
import shlex
import subprocess
import unittest

from clitest import CliTest, RDBMEM
import rdbfile as r

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def text_of(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as f:
        return f.read()


class Docs(CliTest):
    def setUp(self):
        super().setUp()
        self.usage = text_of("docs/usage.md")
        self.code = set(re.findall(r"`([^`\n]+)`", self.usage))

    def test_options(self):
        out = self.run_rdbmem("--help")[0].decode()
        options = re.findall(r"^ {2}(?:-(\w),|   ) --([\w-]+)(\S*)", out, re.M)
        self.assertGreater(len(options), 15)
        for letter, name, arg in options:
            self.assertIn("--" + name + arg.strip(), self.code)
            if letter:
                self.assertIn("-" + letter, self.code)
        documented = {o for o in re.findall(r"^\| (?:`-\w`, )?`--([\w-]+)", self.usage, re.M)}
        self.assertEqual(documented, {name for _, name, _ in options})

    def test_columns(self):
        self.write("d.rdb", r.dump())
        columns = self.run_rdbmem("-fcsv", "d.rdb")[0].decode().strip().split(",")
        table = self.usage[self.usage.index("| column |"):self.usage.index("| flag |")]
        self.assertEqual(re.findall(r"^\| `(\w+)` \|", table, re.M), columns)

    def test_members(self):
        self.write("d.rdb", r.dump(r.select(0), r.resize(1, 0), r.string(b"\xff", b"v"), b"\x00" + r.text(b"cut") + b"\x10",
                                   extra=r.aux(b"used-mem", b"1"))[:-9])
        names = set()

        def walk(node, path=""):
            for name, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
                if isinstance(name, str) and path != "structures":
                    names.add(name)
                walk(value, name)
        walk(json.loads(self.run_rdbmem("-fjson", "d.rdb", status=1)[0]))
        self.assertIn("last_key", names)
        self.assertEqual(names - self.code, set())

    def test_flags(self):
        with open(os.path.join(ROOT, "report/fields.c")) as f:
            flags = re.findall(r'\{KEY_\w+, "(\w+)"\}', f.read())
        self.assertEqual(len(flags), 11)
        table = self.usage[self.usage.index("| flag |"):]
        table = table[:table.index("\n## ")]
        self.assertEqual(set(re.findall(r"`(\w+)`", table)) - {"target"}, set(flags))

    def test_settings(self):
        with open(os.path.join(ROOT, "analyzer/config.c")) as f:
            settings = re.findall(r'\[SET_\w+\] = \{\{"([\w-]+)"', f.read())
        self.assertGreater(len(settings), 20)
        for s in settings:
            if not s.startswith("active-defrag"):
                self.assertIn(s, self.code)

    def test_links(self):
        for name in ("README.md", "docs/usage.md", "docs/install.md"):
            for target in re.findall(r"\]\(([^)#:]+)\)", text_of(name)):
                self.assertTrue(os.path.exists(os.path.join(ROOT, os.path.dirname(name), target)), target)


def samples(text):
    """The commands of the indented blocks, each with the lines that are said to be its output."""
    command, lines, found = None, [], []
    for line in text.split("\n") + ["end"]:
        inside = line.startswith("    ") or not line.strip()
        if command and (not inside or line.startswith("    $ ")):
            while lines and not lines[-1]:
                lines.pop()
            found.append((command, lines))
            command = None
        if line.startswith("    $ "):
            command, lines = line[6:], []
        elif command:
            lines.append(line[4:].rstrip())
    return found


class Samples(CliTest):
    """What README.md shows is what the program prints."""

    def shell(self, command):
        script = "rdbmem() { %s \"$@\"; }\n%s" % (shlex.quote(RDBMEM), command.replace("build/rdbmem", "rdbmem"))
        environment = {n: v for n, v in os.environ.items() if n != "COLUMNS"}
        done = subprocess.run(["bash", "-c", script], cwd=self.dir, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, env=environment)
        return done.returncode, [self.ageless(line.rstrip()) for line in done.stdout.decode().split("\n")]

    @staticmethod
    def ageless(line):
        return re.sub(r"^(Dump of .*?, )\d+ \w+ old", r"\1some time old", line)

    def follows(self, wanted, out, command):
        """Every piece between dots stands in the output as it is, one after the other."""
        at, anywhere = 0, False
        for piece in re.split(r"(?m)^\.\.\.$\n?", "\n".join(wanted)):
            lines = [self.ageless(line) for line in piece.rstrip("\n").split("\n")] if piece.strip() else []
            places = range(at, len(out) - len(lines) + 1) if anywhere else [at]
            place = next((i for i in places if out[i:i + len(lines)] == lines), None)
            self.assertIsNotNone(place, "%s\ndoes not print this:\n%s\nbut:\n%s" % (command, piece, "\n".join(out[at:at + 60])))
            at, anywhere = place + len(lines), True
        if wanted[-1] != "...":
            self.assertEqual([line for line in out[at:] if line], [], command)

    def test_readme(self):
        os.symlink(os.path.join(ROOT, "testdata"), self.path("testdata"))
        found, status = samples(text_of("README.md")), 0
        self.assertGreater(len(found), 7)
        for command, wanted in found:
            with self.subTest(command=command):
                if command == "echo $?":
                    self.assertEqual(wanted, [str(status)])
                    continue
                status, out = self.shell(command)
                self.assertEqual(status, 3 if "--fail-on" in command else 0)
                self.follows(wanted or [""], out, command)

    def test_measured_figures(self):
        """The rows of README.md are those of docs/memory-model.md, which scripts/agreement.py writes."""
        model = text_of("docs/memory-model.md")
        rows = re.findall(r"^\| (Redis|Valkey) ([\d.]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) keys, (\S+ %) \| (\S+) bytes of ([\d,]+), (\S+ %) \|$",
                          text_of("README.md"), re.M)
        self.assertGreater(len(rows), 5)
        for family, version, *figures in rows:
            server = "%s-%s" % (family.lower(), ".".join(version.split(".")[:2]))
            keys, exact, chance, off, less, measured, share = (f.replace(",", "") for f in figures)
            self.assertRegex(model, r"(?m)^\| %s \| %s \| %s \|.*\| %s \| %s \(" % (server, keys, exact, chance, re.escape(off)))
            self.assertRegex(model, r"(?m)^\| %s mix \| %s \|.*\| %s \| %s \| %s \|" % (server, re.escape(version), measured, re.escape(less), re.escape(share)))


if __name__ == "__main__":
    unittest.main()
