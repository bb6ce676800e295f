"""Every fuzz target for ten minutes, from the committed corpus: no input that crashes it, none of which it says what is not so."""
import concurrent.futures
import os
import re
import shutil
import subprocess
import time

from acceptance import ROOT, Acceptance

SECONDS = 600
CORPUS = ROOT / "tests" / "fuzz" / "corpus"
PROGRAMS = ROOT / "build" / "fuzz" / "tests" / "fuzz"
a = Acceptance("fuzz", __doc__)


def fuzz(name):
    """Run one target, unless its log of an earlier run is whole. What it finds is kept to be merged into the corpus."""
    log, found = a.work / f"{name}.log", PROGRAMS / "found" / name
    if log.exists():
        return log.read_text()
    shutil.rmtree(found, ignore_errors=True)
    found.mkdir(parents=True)
    command = [PROGRAMS / f"fuzz_{name}", f"-max_total_time={SECONDS}", "-max_len=4096", f"-dict={CORPUS.parent / name}.dict",
               f"-artifact_prefix={found}/", "-print_final_stats=1", found, CORPUS / name]
    start = time.monotonic()
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    text = f"{run.stdout}\nstatus {run.returncode} after {time.monotonic() - start:.0f} s\n"
    part = log.with_suffix(".part")
    part.write_text(text)
    part.rename(log)
    return text


def figure(pattern, text):
    """The last number that stands where the pattern has its group."""
    return int(re.findall(pattern, text)[-1])


for step in ["--preset", "fuzz"], ["--build", "--preset", "fuzz"]:
    subprocess.run(["cmake", *step], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
names = sorted(p.name for p in CORPUS.iterdir() if p.is_dir())
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    logs = dict(zip(names, pool.map(fuzz, names)))
for name, text in logs.items():
    status, seconds = map(int, re.search(r"^status (-?\d+) after (\d+) s$", text, re.M).groups())
    crashes = len(re.findall(r"Test unit written to", text))
    executions = figure(r"stat::number_of_executed_units: *(\d+)", text)
    a.judge(f"{name}: inputs that end it, in {seconds} s", crashes, crashes == 0 and status == 0 and seconds >= SECONDS, "none")
    a.note(f"{name}: executions", executions)
    a.note(f"{name}: executions a second", round(executions / max(seconds, 1)))
    covered, edges = figure(r"cov: (\d+)", text), figure(r"\((\d+) inline 8-bit counters\)", text)
    a.note(f"{name}: edges covered, of those in the program", f"{covered} of {edges}")
    covered, inputs = figure(r"ft: (\d+)", text), figure(r"corp: (\d+)/", text)
    a.note(f"{name}: features covered, inputs that cover them", f"{covered}, {inputs}")
    sizes = [file.stat().st_size for file in (CORPUS / name).iterdir()]
    a.note(f"{name}: inputs in the committed corpus, bytes", f"{len(sizes)}, {sum(sizes)}")
a.end()
