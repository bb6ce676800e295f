"""Same seed, same numbers: whatever the threads, and whether or not the work was interrupted.

usage: reproducible.py JOSTLE
"""
import os
import signal
import subprocess
import sys
import tempfile
import time

jostle = os.path.abspath(sys.argv[1])


def run(*arguments):
    subprocess.run([jostle, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def assert_equal_files(one, other):
    result = subprocess.run(["h5diff", "-v", one, other], capture_output=True, text=True)
    assert result.returncode == 0, f"{one} and {other} differ:\n{result.stdout}{result.stderr}"
    with open(one, "rb") as a, open(other, "rb") as b:
        assert a.read() == b.read(), f"{one} and {other} differ in bytes that h5diff does not compare"


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    train = ["train", "--task", "two-gaussians", "--seed", "5", "--batch", "512", "--steps", "60"]
    for solver in ("adam", "cg"):
        for threads in ("1", "2"):
            run(*train, "--solver", solver, "--sample", "8192", "--threads", threads, "--out", f"{solver}{threads}.h5")
        assert_equal_files(f"{solver}1.h5", f"{solver}2.h5")

    # A different seed must give different numbers, or the comparison above shows nothing.
    run("train", "--task", "two-gaussians", "--seed", "6", "--batch", "512", "--steps", "60", "--out", "other.h5")
    assert subprocess.run(["h5diff", "-q", "adam1.h5", "other.h5"]).returncode == 1, "seeds 5 and 6 gave equal files"

    for threads in ("1", "2"):
        run("sample", "--ensemble", "--protocol", "adam1.h5", "-n", "1000", "--seed", "3", "--threads", threads, "--out",
            f"samples{threads}.h5")
    assert_equal_files("samples1.h5", "samples2.h5")

    # Through the loop: unpaced, the samples depend on the seed alone.
    for repeat in ("a", "b"):
        run("sample", "--bench", "sim-2", "--protocol", "adam1.h5", "-n", "20", "--seed", "3", "--out", f"bench-{repeat}.h5")
    assert_equal_files("bench-a.h5", "bench-b.h5")

    # Interrupt a training somewhere in its middle, go on, and compare with one that was left alone.
    long = ["train", "--task", "two-gaussians", "--seed", "5", "--batch", "512"]
    steps = 500
    while True:
        process = subprocess.Popen([jostle, *long, "--steps", str(steps), "--out", "resumed.h5"], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        text = process.communicate()[1]
        if process.returncode == 130:
            break
        assert process.returncode == 0, text
        steps *= 2  # it was done before the signal came: give it more to do
    assert "--resume" in text, f"an interrupted training should say how to go on, said:\n{text}"
    assert not os.path.exists("resumed.h5"), "an interrupted training must not leave a protocol that looks whole"
    refused = subprocess.run([jostle, *long, "--steps", str(steps + 1), "--out", "resumed.h5", "--resume"],
                             capture_output=True, text=True)
    assert refused.returncode == 1 and "checkpoint" in refused.stderr, refused.stderr
    run(*long, "--steps", str(steps), "--out", "resumed.h5", "--resume")
    run(*long, "--steps", str(steps), "--out", "whole.h5")
    assert_equal_files("resumed.h5", "whole.h5")
    assert not os.path.exists("resumed.h5.checkpoint"), "a finished training should remove its checkpoint"
