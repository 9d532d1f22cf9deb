#!/usr/bin/env python3
"""clang-tidy over every source that a build directory knows, within a time limit.

    tidy.py BUILD-DIRECTORY [--jobs=N] [--seconds=N]

A file that was clean is not looked at again until it, a header of ours that it includes, or the configuration changes:
BUILD-DIRECTORY/tidy remembers. So what a run did not get to, the next one begins with.
Exit status: 0 all clean, 1 findings, 2 out of time.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# How far the analyser follows the paths of one function: a quarter of the default takes half the time.
MAX_NODES = 60000
ANALYZER = [f"--extra-arg={a}" for a in ("-Xclang", "-analyzer-config", "-Xclang", f"max-nodes={MAX_NODES}")]
FINDING = re.compile(r"(warning|error):")


def compile_commands(build):
    """[(source, arguments)], each source once: some are built for several programs."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = {entry["file"]: shlex.split(entry["command"]) for entry in json.load(file)
                   if entry["file"].endswith(".c")}
    return sorted(entries.items())


def own_files(build, source, arguments):
    """The source and those of our headers that it includes, by the compiler."""
    command = [a for i, a in enumerate(arguments) if a != "-o" and (i == 0 or arguments[i - 1] != "-o")]
    rule = subprocess.run([*command, "-MM"], capture_output=True, text=True, check=True, cwd=build).stdout
    names = rule.replace("\\\n", " ").split(":", 1)[1].split()
    return sorted({os.path.normpath(os.path.join(build, name)) for name in names} | {source})


def fingerprint(build, source, arguments, version):
    digest = hashlib.sha256(" ".join([version, *ANALYZER, *arguments]).encode())
    configurations = [os.path.join(ROOT, ".clang-tidy"), os.path.join(os.path.dirname(source), ".clang-tidy")]
    for name in configurations + own_files(build, source, arguments):
        if os.path.exists(name):
            with open(name, "rb") as file:
                digest.update(file.read())
    return digest.hexdigest()


def findings(text):
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text).replace(ROOT + os.sep, "").splitlines()
    return [line for line in lines if FINDING.search(line)]


class Run:
    """What all threads share."""

    def __init__(self, build, seconds):
        self.build = build
        self.deadline = time.monotonic() + seconds
        self.memory = os.path.join(build, "tidy")
        self.version = subprocess.run(["clang-tidy", "--version"], capture_output=True, text=True, check=True).stdout
        os.makedirs(self.memory, exist_ok=True)

    def check(self, item):
        """The findings for one source, None when there was no time left."""
        source, arguments = item
        stamp = os.path.join(self.memory, fingerprint(self.build, source, arguments, self.version))
        if os.path.exists(stamp):
            return []
        left = self.deadline - time.monotonic()
        command = ["clang-tidy", "--quiet", "-p", self.build, *ANALYZER, source]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=max(left, 0.001))
        except subprocess.TimeoutExpired:
            return None
        found = findings(done.stdout)
        if done.returncode != 0 and not found:
            found = [f"{source}: clang-tidy ended with {done.returncode}: {done.stderr.strip()[-500:]}"]
        if not found:
            with open(stamp, "w", encoding="utf-8") as file:
                file.write(source + "\n")
        return found


def main():
    parser = argparse.ArgumentParser(description="clang-tidy over every source of a build directory")
    parser.add_argument("build")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=int, default=3600)
    arguments = parser.parse_args()
    run = Run(os.path.abspath(arguments.build), arguments.seconds)
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        results = list(pool.map(run.check, compile_commands(run.build)))
    for line in sorted({line for found in results for line in found or ()}):
        print(line)
    late = sum(found is None for found in results)
    if late:
        print(f"{late} of {len(results)} files were not reached within {arguments.seconds} s")
    return 2 if late else 1 if any(results) else 0


if __name__ == "__main__":
    sys.exit(main())
