"""Through comedi's kernel driver and an independent plant process, in a virtual machine with a PREEMPT_RT kernel: samples on one
card and on four as one bench, beside the simulated bench; loops killed; streams; slots of the loop, the same from run to run.
In virtual time: evidence of logic, scheduling and deadlines, not of this computer's speed."""
import re
import statistics
import sys
import time

from acceptance import JOSTLE, ROOT, Acceptance

sys.path.insert(0, str(ROOT / "tests" / "vm"))
import vm  # noqa: E402

N, KILLS, STREAM_S = 400, 10, 10
TESTS = ROOT / "build" / "release" / "tests"
PLANT, VOLTS = TESTS / "vm" / "comedi_plant", TESTS / "vm" / "comedi_volts"
HERE = ROOT / "tests" / "vm"
BENCHES = ["comedi-2", "comedi-2x4"]
a = Acceptance("vm", __doc__)
protocol = a.train("protocol.h5", "--task", "two-gaussians", "--seed", 1)


def boot(*jobs, **options):
    """Run the jobs in one boot; the seconds that took on this computer."""
    begin = time.monotonic()
    said = vm.run(jobs, virtual_time=True, limit=5400, **options)
    for job in jobs:
        if not job.passed:
            print(said, job, job.text, sep="\n")
    a.kernel = re.search(r"GUEST ready .*?, (\S+ .*)", said).group(1)
    return time.monotonic() - begin


def word(pattern, job):
    found = re.search(pattern, job.text)
    return found.group(1) if found else None


def sample(bench, n, out):
    return vm.Job(f"sample_{bench}", [HERE / "sample.sh", JOSTLE, PLANT, protocol, bench, n, out], 100000)


sim = [a.evaluate(a.sample(f"sim-{seed}.h5", protocol, "--bench", "comedi-2", "--fallback", "sim", "-n", N, "--seed", seed,
                           "--t-final", 3), "--task", "two-gaussians") for seed in range(1, 6)]
tv = statistics.mean(row["total_variation"] for row in sim)
a.note(f"simulated bench, {N} samples, seeds 1 to 5: total variation", [round(row["total_variation"], 4) for row in sim])
a.note("floor of exact draws, same number", round(sim[0]["floor"], 4))

for bench in BENCHES:
    job = sample(bench, N, f"/tmp/out/{bench}.h5")
    seconds = boot(job, keep=a.work)
    a.note(f"{bench}: loop", word(r" loop +(.*)", job))
    a.note(f"{bench}: plant", word(r"comedi_plant: (\d.*)", job))
    a.note(f"{bench}: the machine's run, s on this computer", round(seconds))
    figures = a.evaluate(a.path(f"{bench}.h5"), "--task", "two-gaussians")
    weight, off = figures["mode_weights"][0], figures["total_variation"] - tv
    a.judge(f"{bench}, {N} samples, delta 0.01, t_f 3, 1 kHz: weight of mode 1", round(weight, 4), abs(weight - 0.5) <= 0.08,
            "within 0.08 of 0.50")
    a.judge(f"{bench}: total variation {figures['total_variation']:.4f} off the simulated bench's {tv:.4f}", round(off, 4) + 0.0,
            abs(off) <= 0.06, "within 0.06")

slots = [[sample(bench, 15, "samples.h5") for bench in BENCHES] for _ in range(2)]
for jobs in slots:
    boot(*jobs)
for bench, *runs in zip(BENCHES, *slots):
    said = [word(r" loop +(.*)", job) for job in runs]
    counts = [re.match(r"(\d+) periods .*, (\d+) missed", text or "") for text in said]
    good = all(runs) and all(c and int(c.group(1)) >= 10000 and int(c.group(2)) == 0 for c in counts)
    a.judge(f"{bench}: slots of the loop at 1 kHz missed, twice", said, good and said[0] == said[1],
            "0 of 10000 or more, the same again")
    a.note(f"{bench}: a tick's computing, virtual time", [word(r" computing +(.*)", job) for job in runs])

killed = [vm.Job(f"killed_{bench}", [HERE / "killed.sh", JOSTLE, PLANT, VOLTS, bench, KILLS], 1000) for bench in BENCHES]
conformance = [vm.Job(f"conformance_{bench}", [TESTS / "daq" / "test_driver_conformance", f"comedi={bench}"], 300)
               for bench in BENCHES]
stream = vm.Job("stream", [TESTS / "daq" / "test_driver_comedi", STREAM_S], 300)
uart = vm.Job("uart", [HERE / "uart.sh", TESTS / "daq" / "fake_serial_device", TESTS / "daq" / "test_driver_conformance",
                       ROOT / "daq" / "benches" / "serial-4x4.yaml"], 300)
boot(*killed, *conformance, stream, uart)
for bench, job in zip(BENCHES, killed):
    safe = job.text.count("killed: 0.000 0.000")
    a.judge(f"{bench}: loops killed while they drove, outputs read back at 0 V", f"{safe} of {KILLS}",
            job.passed and safe == KILLS, f"{KILLS} of {KILLS}")
for bench, job in zip(BENCHES, conformance):
    a.judge(f"{bench}: driver conformance", word(r"(\d+ test\(s\) run)", job), job.passed, "all pass")
a.judge("comedi driver's tests; stream of 8 inputs at 10 kHz", word(r"(\d+ scans of 8 inputs .*)", stream), stream.passed,
        f"{STREAM_S} s, no scan lost")
a.judge("serial driver over two UARTs: driver conformance", word(r"(\d+ test\(s\) run)", uart), uart.passed, "all pass")
a.note("kernel of the machine", a.kernel)
a.end()
