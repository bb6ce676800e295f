"""Ten minutes of `jostle run`: 144 channels at 1 kHz, sampling digits, recording, twenty subscribers of whom five are slow."""
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time

import h5py
import msgpack
import zmq

from acceptance import JOSTLE, ROOT, Acceptance

sys.path.insert(0, str(ROOT / "tests" / "cli"))
import bench_process  # noqa: E402

MINUTES = float(os.environ.get("SOAK_MINUTES", 10))
PERIOD_US = 1000
LONGEST_US = 100000  # of cyclictest's histogram
a = Acceptance("soak", __doc__)
protocol = a.train("protocol.h5", "--task", "digits01-local", "--seed", 1)
folder = a.path("run")
shutil.rmtree(folder, ignore_errors=True)
os.makedirs(folder)


class Subscriber(threading.Thread):
    """Counts the numbers that are missing of each topic; a slow one sleeps between messages and takes few in advance."""

    def __init__(self, context, slow):
        super().__init__(daemon=True)
        self.slow, self.gaps, self.n, self.ending = slow, 0, 0, False
        self.socket = context.socket(zmq.SUB)
        self.socket.setsockopt(zmq.RCVHWM, 2 if slow else 100000)
        self.socket.setsockopt(zmq.RCVTIMEO, 500)
        self.socket.setsockopt(zmq.SUBSCRIBE, b"")
        self.socket.connect(f"ipc://{folder}/telemetry")

    def run(self):
        last = {}
        while not self.ending:
            try:
                topic, body = self.socket.recv_multipart()
            except zmq.Again:
                continue
            seq = msgpack.unpackb(body)["seq"]
            self.gaps += topic in last and seq != last[topic] + 1
            last[topic] = seq
            self.n += 1
            if self.slow:
                time.sleep(1)


def memory_kB(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))


# The same minutes, CPU, interval and priority, beside the loop: what this machine does to anybody.
CPU = max(os.sched_getaffinity(0))
cyclictest = subprocess.Popen(["cyclictest", "-q", "-t1", f"-a{CPU}", "-p80", "-m", f"-i{PERIOD_US}", f"-D{int(MINUTES * 60)}s", "-h", str(LONGEST_US)],
                              stdout=subprocess.PIPE, text=True)
run = bench_process.run(str(JOSTLE), "sim-12x12", "soak", folder, "--record", folder, "--protocol", protocol, "--cpu", str(CPU),
                        attach=False)
client = bench_process.Client(folder)
client.go()
client.do("sample", n=1000000)
context = zmq.Context()
subscribers = [Subscriber(context, i < 5) for i in range(20)]
for subscriber in subscribers:
    subscriber.start()
memory, start, patience = [], time.monotonic(), MINUTES * 60
while time.monotonic() - start < patience:
    time.sleep(min(10, patience / 20))
    status = client.do("status")
    assert status["state"] == "RUNNING", status
    memory.append(memory_kB(run.process.pid))
    if sys.stderr.isatty():
        print(f"\r{(time.monotonic() - start) / 60:.1f} of {MINUTES:g} min", end="", file=sys.stderr)
status = client.do("status")
client.do("shutdown")
exit_status = run.end(timeout=120)
for subscriber in subscribers:
    subscriber.ending = True
    subscriber.join()
histogram = cyclictest.communicate()[0]

# cyclictest goes on at the next interval that is still to come: a latency of n periods is n slots that it missed.
overruns = 0
for line in histogram.splitlines():
    bin_us = re.match(r"^0*(\d+)\s+(\d+)$", line)
    if bin_us:
        overruns += int(bin_us.group(1)) // PERIOD_US * int(bin_us.group(2))
overflow = re.search(r"Histogram Overflows:\s*0*(\d+)", histogram)
overruns += int(overflow.group(1)) * (LONGEST_US // PERIOD_US) if overflow else 0
longest = re.search(r"Max Latencies:\s*0*(\d+)", histogram)
rows = 0
for name in sorted(os.listdir(folder)):
    if name.endswith(".h5"):
        with h5py.File(f"{folder}/{name}") as file:
            rows += len(file["tick/number"])
missed = status["missed"]

a.note("ticks", status["ticks"])
a.note("samples drawn", status["samples"])
a.note("cyclictest's longest latency, us", int(longest.group(1)) if longest else None)
a.judge("slots missed", missed, missed <= overruns, f"at most the slots that cyclictest missed in the same minutes, {overruns}")
third = len(memory) // 3
early, late = max(memory[third:2 * third]), max(memory[2 * third:])
a.judge("memory, last third against middle third", f"{late} kB against {early} kB", late <= early * 1.01 + 512, "flat, to 1 %")
fast, slow = subscribers[5:], subscribers[:5]
a.note("messages to a fast subscriber", min(s.n for s in fast))
a.judge("sequence gaps at the fifteen fast subscribers", sum(s.gaps for s in fast), not any(s.gaps for s in fast), "none")
a.note("sequence gaps at the five slow ones", [s.gaps for s in slow])
a.judge("rows recorded", f"{rows} of {status['recorder']['rows'] if status.get('recorder') else None}, dropped "
        f"{status['recorder']['dropped']}", status["recorder"]["dropped"] == 0 and rows >= status["recorder"]["rows"], "every one")
a.judge("exit status", exit_status, exit_status == 0, "0")
a.end()
