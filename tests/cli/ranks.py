"""Under mpirun: the same bits whatever the number of ranks, one voice, one writer, and one end for all.

usage: ranks.py JOSTLE
"""
import os
import signal
import subprocess
import sys
import tempfile
import time

import h5py
import numpy

jostle = os.path.abspath(sys.argv[1])
environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                   OMPI_MCA_rmaps_base_oversubscribe="1")
SECONDS = 120  # nothing here may hang


def mpirun(ranks, *arguments):
    return subprocess.run(["mpirun", "-n", str(ranks), jostle, *arguments], capture_output=True, text=True,
                          env=environment, timeout=SECONDS)


def run(ranks, *arguments):
    result = mpirun(ranks, *arguments)
    assert result.returncode == 0, f"{ranks} ranks, jostle {' '.join(arguments)}:\n{result.stderr}"
    return result


def own_lines(result):
    """What jostle said, without mpirun's own report that a rank ended with an error."""
    return [line for line in result.stderr.splitlines() if line.startswith("jostle")]


def assert_equal_files(one, other):
    result = subprocess.run(["h5diff", "-v", one, other], capture_output=True, text=True)
    assert result.returncode == 0, f"{one} and {other} differ:\n{result.stdout}{result.stderr}"


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    train = ["train", "--task", "two-gaussians", "--seed", "5", "--knots", "6", "--batch", "512", "--steps", "30",
             "--sample", "8192"]

    # Training, from fresh moments and from a stored sample. 3 ranks share 16 chunks unevenly.
    for solver in ("adam", "cg"):
        subprocess.run([jostle, *train, "--solver", solver, "--out", f"{solver}.h5"], check=True, capture_output=True)
        for ranks in (1, 2, 3, 4):
            out = f"{solver}{ranks}.h5"
            result = run(ranks, *train, "--solver", solver, "--out", out)
            assert result.stdout.count("checksum") == 1, f"one rank should speak, heard:\n{result.stdout}"
            with h5py.File(f"{solver}.h5") as alone, h5py.File(out) as shared:
                difference = numpy.abs(alone["learning/loss"][()] - shared["learning/loss"][()]).max()
            assert difference <= 1e-5, f"{solver}, {ranks} ranks: losses differ by {difference}"
            assert_equal_files(f"{solver}.h5", out)

    # Samples, also where the shares are no whole blocks of 32 and where some ranks have none.
    for n in ("1000", "2"):
        sample = ["sample", "--ensemble", "--protocol", "adam.h5", "--seed", "3", "-n", n]
        subprocess.run([jostle, *sample, "--out", f"samples{n}.h5"], check=True, capture_output=True)
        for ranks in (1, 2, 4):
            run(ranks, *sample, "--out", f"samples{n}-{ranks}.h5")
            assert_equal_files(f"samples{n}.h5", f"samples{n}-{ranks}.h5")

    # mpirun is interrupted, as by Ctrl-C, and in another run a single rank is; both go on with another number of ranks.
    long = ["train", "--task", "two-gaussians", "--seed", "5", "--knots", "4", "--batch", "512"]
    steps = 500
    for whom in ("mpirun", "last rank"):
        while True:
            process = subprocess.Popen(["mpirun", "-n", "2", jostle, *long, "--steps", str(steps), "--out", "resumed.h5"],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
            time.sleep(0.8)
            children = subprocess.run(["pgrep", "-P", str(process.pid), "jostle"], capture_output=True, text=True)
            target = process.pid if whom == "mpirun" else int((children.stdout.split() or ["0"])[-1])
            if target:
                os.kill(target, signal.SIGINT)
            text = process.communicate(timeout=SECONDS)[1]
            if os.path.exists("resumed.h5.checkpoint"):
                break
            assert "train: done" in text, text
            os.remove("resumed.h5")
            steps *= 2  # it was done before the signal came: give it more to do
        assert process.returncode != 0
        assert text.count("--resume") == 1, f"{whom}: one rank should say how to go on, heard:\n{text}"
        assert not os.path.exists("resumed.h5"), "an interrupted training must not leave a protocol that looks whole"
        if whom == "mpirun":
            os.remove("resumed.h5.checkpoint")
    run(3, *long, "--steps", str(steps), "--out", "resumed.h5", "--resume")
    subprocess.run([jostle, *long, "--steps", str(steps), "--out", "whole.h5"], check=True, capture_output=True)
    assert_equal_files("resumed.h5", "whole.h5")
    assert not os.path.exists("resumed.h5.checkpoint"), "a finished training should remove its checkpoint"

    # One rank fails: rank 0, which writes; all for the same reason; rank 1 alone, which has another task.
    for arguments, words in {
            (*train, "--out", "no/such/folder.h5"): "cannot be written",
            ("sample", "--ensemble", "--protocol", "adam.h5", "--out", "no/such/folder.h5"): "cannot be written",
            ("sample", "--ensemble", "--protocol", "none.h5", "--out", "x.h5"): "none.h5",
            ("sample", "--bench", "sim-2", "--protocol", "adam.h5", "--out", "x.h5"): "without mpirun",
            ("list",): "without mpirun"}.items():
        result = mpirun(2, *arguments)
        assert result.returncode != 0, arguments
        said = own_lines(result)
        assert len(said) == 1 and words in said[0], f"expected one line with \"{words}\", heard:\n{result.stderr}"
    for other, words in {"no-such-task": "rank 1: ", "ring": "same program and work"}.items():
        result = subprocess.run(["mpirun", "-n", "1", jostle, *train, "--out", "x.h5", ":",
                                 "-n", "1", jostle, "train", "--task", other, "--seed", "5", "--out", "x.h5"],
                                capture_output=True, text=True, env=environment, timeout=SECONDS)
        said = own_lines(result)
        assert result.returncode != 0 and len(said) == 1 and words in said[0], result.stderr
    assert not os.path.exists("x.h5")
