"""What acceptance scripts share: running the program, keeping work between runs, judging and writing figures.

A script's work lives in build/long/NAME. A step whose output is there already, made by the same commit, is not run again,
so an interrupted script goes on where it stopped. Figures go to docs/results/NAME.json.
"""
import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
JOSTLE = ROOT / "build" / "release" / "jostle"


def output(*command):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


class Acceptance:
    def __init__(self, name, purpose):
        self.name, self.purpose, self.lines = name, purpose, []
        self.commit = output("git", "rev-parse", "--short", "HEAD")
        if output("git", "status", "--porcelain", "--", ".", ":!docs/results"):
            self.commit += "-dirty"
        self.work = ROOT / "build" / "long" / name
        self.work.mkdir(parents=True, exist_ok=True)
        stamp = self.work / "commit"
        if self.commit.endswith("-dirty") or not stamp.exists() or stamp.read_text() != self.commit:
            for file in self.work.iterdir():
                if file.is_file():
                    file.unlink()
        stamp.write_text(self.commit)

    def path(self, file):
        return str(self.work / file)

    def jostle(self, *arguments, makes=None):
        """Run jostle; `makes` is the file that shows the step is done. Returns the seconds it took, None if skipped."""
        if makes and os.path.exists(makes):
            return None
        start = time.monotonic()
        subprocess.run([str(JOSTLE), *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - start

    def train(self, file, *arguments):
        path = self.path(file)
        self.jostle("train", "--out", path, *arguments, makes=path)
        return path

    def sample(self, file, protocol, *arguments):
        path = self.path(file)
        self.jostle("sample", "--out", path, "--protocol", protocol, *arguments, makes=path)
        return path

    def evaluate(self, samples, *arguments):
        path = samples + ".json"
        self.jostle("eval", samples, "--json", path, *arguments)
        with open(path) as file:
            return json.load(file)

    def judge(self, what, measured, passed, required):
        """Record one line: what was measured, and whether it is as required."""
        self.lines.append({"what": what, "measured": measured, "required": required, "passed": bool(passed)})
        print(f"  {'pass' if passed else 'FAIL'}  {what}: {measured} (required: {required})", flush=True)

    def note(self, what, measured):
        self.lines.append({"what": what, "measured": measured})
        print(f"        {what}: {measured}", flush=True)

    def end(self):
        results = ROOT / "docs" / "results"
        results.mkdir(parents=True, exist_ok=True)
        with open(results / f"{self.name}.json", "w") as file:
            json.dump({"name": self.name, "purpose": self.purpose, "version": output(str(JOSTLE), "--version"),
                       "commit": self.commit, "lines": self.lines}, file, indent=1)
            file.write("\n")
        sys.exit(0 if all(line.get("passed", True) for line in self.lines) else 1)
