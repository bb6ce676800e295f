"""boot.py BUILD: boot once, run the jobs of BUILD/vm/jobs, leave what became of them in BUILD/vm/results.

In virtual time, so that what is tested does not depend on what else the host has to do. Exit status 77, and the reason in
build/skipped/vm, where the machine can't be had.
"""
import pathlib
import sys

import vm

folder = pathlib.Path(sys.argv[1]) / "vm"
results, skipped = folder / "results", vm.ROOT / "build" / "skipped" / "vm"
for old in results, skipped:
    old.unlink(missing_ok=True)
jobs = []
for line in (folder / "jobs").read_text().splitlines():
    name, timeout, *command = line.split("\t")
    jobs.append(vm.Job(name, command, int(timeout)))
try:
    print(vm.run(jobs, virtual_time=True, limit=900))
except vm.Unavailable as reason:
    skipped.parent.mkdir(parents=True, exist_ok=True)
    skipped.write_text(f"nothing was tested on a comedi card in a virtual machine: {reason}\n")
    print(skipped.read_text())
    sys.exit(77)
vm.save(jobs, results)
for job in jobs:
    print(job)
sys.exit(all(job.status is None for job in jobs))  # what ran is judged by its own test
