"""The doctor as a person asks it: a line for each finding, a remedy with each that is not good, and a status that says
whether any failed, whatever this machine is like. The deployment files: what they name is there.

usage: doctor.py JOSTLE
"""
import os
import re
import subprocess
import sys
import tempfile

jostle = os.path.abspath(sys.argv[1])
source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
LINE = re.compile(r"(good  |note  |failed) (\S+) +(\S.*)")


def doctor(*arguments):
    """Findings as (verdict, check, text), after asking whether the status and the last line fit them."""
    result = subprocess.run([jostle, "doctor", *arguments], capture_output=True, text=True, timeout=120)
    *lines, last = result.stdout.splitlines()
    findings = [LINE.fullmatch(line).groups() for line in lines]
    n = sum(verdict == "failed" for verdict, _, _ in findings)
    assert result.returncode == (1 if n else 0), f"{n} failed, status {result.returncode}\n{result.stdout}{result.stderr}"
    assert last == (f"{n} of {len(findings)} findings forbid arming hardware" if n else "nothing forbids arming hardware"), last
    return findings


def verdicts(findings, check):
    return [verdict.strip() for verdict, name, _ in findings if name == check]


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    # catches: a check left out of the table, a measurement that is made though it is not wanted
    findings = doctor("--seconds", "0", "--bench", "sim-2", "--cpu", "0")
    names = {name for _, name, _ in findings}
    assert names >= {"kernel", "priority", "memory", "clock", "disk", "bench", "isolation"}, names
    assert "wake-up" not in names and "failed" not in verdicts(findings, "bench"), findings
    assert os.listdir(folder) == [], "the doctor left a file behind"

    # catches: a measurement at another period than the bench's
    text = next(text for _, name, text in doctor("--seconds", "0.2", "--bench", "sim-2") if name == "wake-up")
    assert "period of 1000 us" in text, text

    # catches: a failed check that does not reach the exit status
    assert verdicts(doctor("--seconds", "0", "--folder", "no-such-folder"), "disk") == ["failed"]
    assert verdicts(doctor("--seconds", "0", "--cpu", "1023"), "isolation") == ["failed"]
    assert "failed" in verdicts(doctor("--seconds", "0", "--bench", "sim-2", "--attach", f"nobody-{os.getpid()}"), "bench")

    # catches: a bench that can't be read taken for one that is not asked about
    wrong = subprocess.run([jostle, "doctor", "--bench", "no-such-bench"], capture_output=True, text=True, timeout=60)
    assert wrong.returncode == 1 and not wrong.stdout and "no-such-bench" in wrong.stderr, wrong

# catches: a service file that starts the program with an option that it does not have (any more)
unit = open(os.path.join(source, "docs", "deployment", "jostle@.service")).read()
start = re.search(r"^ExecStart=/usr/bin/jostle (\w+) (.*)$", unit, re.M)
help_text = subprocess.run([jostle, start[1], "--help"], capture_output=True, text=True, timeout=60).stdout
missing = [option for option in re.findall(r"--[\w-]+", start[2]) if not re.search(rf"^ *{option} ", help_text, re.M)]
assert not missing, f"jostle {start[1]} has no {missing}"

# catches: a remedy that sends a person to a file that is not there
checks = os.path.join(source, "control", "checks")
named = {path for name in os.listdir(checks) for path in re.findall(r"docs/[\w./@-]*\w", open(os.path.join(checks, name)).read())}
assert named and all(os.path.exists(os.path.join(source, path)) for path in named), named
