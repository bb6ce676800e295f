"""Output that people and scripts read, word for word: each command against the text that is kept beside this file.

usage: golden.py JOSTLE            compare; a difference is shown and fails
       golden.py JOSTLE --update   write the texts anew: look at the difference before committing it

protocol.h5 is kept too and not written anew: a file of format version 1 that every later program must read the same.
"""
import difflib
import os
import subprocess
import sys

GOLDEN = {
    "list.txt": ["list"],
    "protocol-show.txt": ["protocol", "show", "protocol.h5"],
    "protocol-check.txt": ["protocol", "check", "protocol.h5", "--bench", "sim-2"],
}

jostle, update = os.path.abspath(sys.argv[1]), "--update" in sys.argv[2:]
os.chdir(os.path.dirname(os.path.abspath(__file__)))
os.environ.pop("JOSTLE_PATH", None)

failed = False
for name, arguments in GOLDEN.items():
    result = subprocess.run([jostle, *arguments], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, f"jostle {' '.join(arguments)}: status {result.returncode}\n{result.stderr}"
    if update:
        with open(name, "w") as file:
            file.write(result.stdout)
        continue
    with open(name) as file:
        kept = file.read()
    if result.stdout != kept:
        failed = True
        sys.stdout.writelines(difflib.unified_diff(kept.splitlines(True), result.stdout.splitlines(True),
                                                   f"tests/golden/{name}", f"jostle {' '.join(arguments)}"))
sys.exit("if this is meant: /usr/bin/python3 tests/golden/golden.py JOSTLE --update" if failed else 0)
