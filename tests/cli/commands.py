"""Every member of the command registry: listed with its help, explained by --help with every option it has, and strict.

The options are read from the tables in the sources, so that one which the help leaves out is found.

usage: commands.py JOSTLE
"""
import glob
import os
import re
import subprocess
import sys

jostle = os.path.abspath(sys.argv[1])
source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "cli")


def run(*arguments):
    return subprocess.run([jostle, *arguments], capture_output=True, text=True, timeout=60)


def rows(name):
    """The rows of a command's option table: name, kind, word for the value."""
    text = open(os.path.join(source, "commands", f"{name}.c")).read()
    return re.findall(r'\{\s*"([^"]+)",\s*OPTION_(\w+),\s*[^,]+,\s*"([^"]*)",', text)


files = {os.path.splitext(os.path.basename(path))[0] for path in glob.glob(os.path.join(source, "commands", "*.c"))}
listed = run("--help")
assert listed.returncode == 0 and not listed.stderr, listed.stderr
commands = dict(re.findall(r"^  (\S+) +(\S.*)$", listed.stdout, re.M))
assert set(commands) == files, f"jostle --help lists {sorted(commands)}, cli/commands/ holds {sorted(files)}"

n_options = 0
for name in commands:
    explained = run(name, "--help")
    assert explained.returncode == 0, f"{name} --help: status {explained.returncode}\n{explained.stderr}"
    assert not explained.stderr and explained.stdout.startswith(f"jostle {name}: "), f"{name}:\n{explained.stdout}"
    lines = [line.strip() for line in explained.stdout.splitlines()[2:]]
    assert lines[-1].startswith("--help"), f"{name}:\n{explained.stdout}"
    for option, kind, what in rows(name):
        if kind.startswith("ARGUMENT"):
            flag, left = what, what
        else:
            flag = f"--{option}" if len(option) > 1 else f"-{option}"
            left = flag if kind == "FLAG" else f"{flag} {what}"
        line = next((line for line in lines if line.startswith(left + " ")), None)
        assert line, f"{name} --help does not have \"{left}\":\n{explained.stdout}"
        assert line[len(left):].strip(), f"{name} --help says nothing of {left}"
        n_options += 1
        if kind not in ("FLAG", "ARGUMENT", "ARGUMENTS"):
            empty = run(name, flag)
            assert empty.returncode == 2 and f"expected {what}, found nothing" in empty.stderr, f"{name} {flag}:\n{empty.stderr}"
    assert len(lines) == len(rows(name)) + 1, f"{name} --help has lines that are no option of cli/commands/{name}.c:\n{lines}"
    unknown = run(name, "--no-such-option")
    assert unknown.returncode == 2 and "unknown option" in unknown.stderr, f"{name}: status {unknown.returncode}\n{unknown.stderr}"
assert n_options > 20, f"only {n_options} options were found in the sources: has the form of the tables changed?"
