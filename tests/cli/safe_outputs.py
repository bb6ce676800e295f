"""Loops that are killed or stopped while they drive, and what a plant's own log says its outputs did then.

Each fault is a row (kind, when, until): nanoseconds of CLOCK_MONOTONIC, the plant log's clock; until then nobody may have driven
the outputs again.
"""
import contextlib
import os
import random
import signal
import time

import h5py
import numpy

from bench_process import Client, run

FORCES = slice(0, 2)  # of both guarded benches: force outputs, on the plant's first channels
DRIVEN_V = (5.0, -4.0)  # three steps of the guardian's way back: it is seen to ramp


def drive(client):
    """RUNNING, with both forces held by hand where they are not safe."""
    client.go()
    for output, volts in enumerate(DRIVEN_V):
        client.do("manual", output=output, volts=volts)


def stat(pid):
    """State and parent of a process; None when there is none."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return None


def guardian_of(process, patience=30):
    """The process id of a loop's guardian: its only child."""
    until = time.monotonic() + patience
    while True:
        pids = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
        mine = [pid for pid in pids if (stat(pid) or ["Z", 0]) == ["S", str(process.process.pid)]]
        if mine:
            return mine[0]
        assert time.monotonic() < until, "a loop without a guardian"
        time.sleep(0.02)


def is_gone(pid):
    return (stat(pid) or ["Z"])[0] == "Z"


def wait_for_end(pid, patience=30):
    until = time.monotonic() + patience
    while not is_gone(pid):
        assert time.monotonic() < until, f"process {pid} does not end"
        time.sleep(0.005)


@contextlib.contextmanager
def driving(jostle, bench, name, folder):
    """A loop on a running plant, and its client; what it said is shown when something fails."""
    process = run(jostle, bench, name, folder)
    client = Client(folder)
    try:
        yield process, client
    except BaseException:
        print(f"status {process.process.poll()}:\n{process.text()}")
        raise
    finally:
        client.close()
        process.process.send_signal(signal.SIGCONT)
        process.end()


def kill_loops(jostle, bench, name, folder, n, rng=random.Random(1)):
    """n loops on a running plant, each killed at a moment of no meaning; the rows of what was done."""
    rows = []
    for _ in range(n):
        with driving(jostle, bench, name, folder) as (process, client):
            drive(client)
            time.sleep(0.05 + 0.05 * rng.random())
            guardian = guardian_of(process)
            killed = time.monotonic_ns()
            process.end(signal.SIGKILL)
            wait_for_end(guardian)
            time.sleep(0.25)
        rows.append(("SIGKILL", killed, time.monotonic_ns()))
    return rows


def stop_loops(jostle, bench, name, folder, n, rng=random.Random(2)):
    """One loop, stopped and resumed n times; each time it must find itself in FAULT, by the guardian's word."""
    rows = []
    with driving(jostle, bench, name, folder) as (process, client):
        for _ in range(n):
            drive(client)
            time.sleep(0.05 + 0.05 * rng.random())
            stopped = time.monotonic_ns()
            process.process.send_signal(signal.SIGSTOP)
            time.sleep(0.35 + 0.05 * rng.random())
            process.process.send_signal(signal.SIGCONT)
            status = client.wait(lambda status: status["state"] == "FAULT")
            assert "guardian" in status["trip"]["text"], status
            time.sleep(0.1)
            assert client.do("status")["state"] == "FAULT", "nothing but a person leaves FAULT"
            rows.append(("SIGSTOP", stopped, time.monotonic_ns()))
    return rows


class PlantLog:
    def __init__(self, path, line):
        """`line`: the plant's channel of the heartbeat line."""
        with h5py.File(path) as log:
            edge, self.t, self.out = log["edge"][()], log["t_ns"][()], log["out_V"][()]
            dropped = int(log.attrs["dropped"])
        assert dropped == 0 and (numpy.diff(edge.astype("i8")) == 1).all(), "the plant's log has gaps"
        self.line, self.forces = self.out[:, line], self.out[:, FORCES]
        self.driven = (self.forces != 0).any(axis=1)

    def assert_within(self, limit_V):
        """No output that the plant received was ever outside its limits."""
        assert numpy.isfinite(self.out).all()
        worst = numpy.abs(self.out).max(axis=0)
        assert (worst <= limit_V).all(), f"largest |V| of each output: {worst}"
        assert self.line.min() >= 0 and self.line.max() <= 5

    def is_driven(self, when):
        return self.driven[int(numpy.searchsorted(self.t, when, "right")) - 1]

    def periods_to_safe(self, when, until):
        """Periods from the loop's last sign to safe outputs, and how many steps they took; None for a loop that did not drive."""
        first = int(numpy.searchsorted(self.t, when, "right")) - 1
        end = int(numpy.searchsorted(self.t, until, "right"))
        if not self.is_driven(when):
            return None
        assert not self.driven[end - 1], "the outputs are not safe"
        safe = end - int(numpy.argmax(self.driven[first:end][::-1]))
        assert not self.driven[safe:end].any()
        held = (self.forces == self.forces[first]).all(axis=1)
        toggled = numpy.concatenate([[False], numpy.diff(self.line) != 0])
        # Where the forces still stand the line's changes are the loop's; the guardian's first write moves both.
        last = int(numpy.flatnonzero((held & toggled)[:safe])[-1])
        return safe - last, len(numpy.unique(self.forces[last:safe, 0]))

