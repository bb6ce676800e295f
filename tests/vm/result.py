"""result.py BUILD NAME: what became of a job of the last boot."""
import pathlib
import sys

import vm

results = pathlib.Path(sys.argv[1]) / "vm" / "results"
if not results.exists():
    print("the machine did not boot")
    sys.exit(77)
job, = [job for job in vm.load(results) if job.name == sys.argv[2]]
print(job)
print(job.text)
sys.exit(not job.passed)
