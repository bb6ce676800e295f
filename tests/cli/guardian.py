"""A loop that dies or is stopped leaves safe outputs, as the plant's own log tells, and one that resumes stays in FAULT.

usage: guardian.py JOSTLE
"""
import os
import signal
import statistics
import sys
import tempfile
import time

import bench_process
from safe_outputs import PlantLog, drive, driving, guardian_of, kill_loops, stop_loops

jostle = os.path.abspath(sys.argv[1])
GUARDIAN_PERIODS = 200  # of both benches
HEARTBEAT = {"sim-2-guarded": 17, "sim-2-exclusive": 3}  # the plant's channel of the line


def judge(log, rows, steps):
    """Every fault ended in safe outputs, in time; most in at least so many steps: a plant that is late sees fewer."""
    judged = [log.periods_to_safe(when, until) for _, when, until in rows]
    valid = [row for row in judged if row]
    # A busy machine may have stalled a loop, and it tripped, before it was killed.
    assert len(valid) >= 0.7 * len(rows), judged
    assert max(periods for periods, _ in valid) <= GUARDIAN_PERIODS, judged
    assert statistics.median(count for _, count in valid) >= steps, judged


def killed_and_stopped(folder):
    # catches: outputs that hold their last value, a jump, a guardian that lets go, a loop that resumes in RUNNING
    name = f"test-guardian-{os.getpid()}"
    plant = bench_process.plant(jostle, "sim-2-guarded", name, f"{folder}/guarded.h5")
    try:
        rows = kill_loops(jostle, "sim-2-guarded", name, folder, 10)
        rows += stop_loops(jostle, "sim-2-guarded", name, folder, 5)
    finally:
        plant.end()
    log = PlantLog(f"{folder}/guarded.h5", HEARTBEAT["sim-2-guarded"])
    log.assert_within(9)
    judge(log, rows, steps=3)


def killed_guardians(folder):
    # catches: a loop that drives on unguarded, one that never gets another guardian, outputs let go by a guardian's death
    name = f"test-guardian-{os.getpid()}"
    plant = bench_process.plant(jostle, "sim-2-guarded", name, f"{folder}/lost.h5")
    rows = []
    try:
        with driving(jostle, "sim-2-guarded", name, folder) as (process, client):
            drive(client)
            killed = time.monotonic_ns()
            os.kill(guardian_of(process), signal.SIGKILL)
            status = client.wait(lambda status: status["state"] == "FAULT")
            assert "guardian" in status["trip"]["text"], status
            time.sleep(0.1)
            rows.append((killed, time.monotonic_ns()))
            drive(client)  # with another guardian
            # One that dies with the outputs in its hands: they stay there, until a third has them and gives them back.
            guardian, stopped = guardian_of(process), time.monotonic_ns()
            process.process.send_signal(signal.SIGSTOP)
            time.sleep(0.4)
            os.kill(guardian, signal.SIGKILL)
            time.sleep(0.1)
            process.process.send_signal(signal.SIGCONT)
            client.wait(lambda status: status["state"] == "FAULT")
            rows.append((stopped, time.monotonic_ns()))
            drive(client)
            time.sleep(0.1)
            driven = time.monotonic_ns()
    finally:
        plant.end()
    log = PlantLog(f"{folder}/lost.h5", HEARTBEAT["sim-2-guarded"])
    log.assert_within(9)
    for when, until in rows:
        assert log.periods_to_safe(when, until), "the loop did not drive"
    assert log.is_driven(driven), "nobody gave the outputs back"


def a_guardian_that_was_stopped(folder):
    # catches: a run that has ended and hangs on its guardian for ever
    name = f"test-guardian-{os.getpid()}"
    plant = bench_process.plant(jostle, "sim-2-guarded", name, f"{folder}/stopped.h5")
    try:
        process = bench_process.run(jostle, "sim-2-guarded", name, folder)
        guardian = guardian_of(process)
        os.kill(guardian, signal.SIGSTOP)
        try:
            assert process.end(timeout=60) == 0, process.text()
            assert f"(process {guardian}) does not end" in process.text(), process.text()
        finally:
            os.kill(guardian, signal.SIGKILL)
    finally:
        plant.end()


def a_device_that_opens_once(folder):
    # catches: outputs of such a device that hold their last value; a monostable that a resumed loop wakes for good
    name = f"test-guardian-{os.getpid()}"
    plant = bench_process.plant(jostle, "sim-2-exclusive", name, f"{folder}/exclusive.h5")
    try:
        rows = kill_loops(jostle, "sim-2-exclusive", name, folder, 2)
        rows += stop_loops(jostle, "sim-2-exclusive", name, folder, 2)
    finally:
        plant.end()
    log = PlantLog(f"{folder}/exclusive.h5", HEARTBEAT["sim-2-exclusive"])
    log.assert_within(9)
    judge(log, rows, steps=1)


with tempfile.TemporaryDirectory() as folder:
    killed_and_stopped(folder)
    killed_guardians(folder)
    a_guardian_that_was_stopped(folder)
    a_device_that_opens_once(folder)
