"""The driver conformance suite on a plant that is a process of its own.

usage: conformance.py JOSTLE TEST_DRIVER_CONFORMANCE
"""
import os
import subprocess
import sys
import tempfile

import bench_process

jostle, suite = (os.path.abspath(argument) for argument in sys.argv[1:3])
name = f"conformance-{os.getpid()}"
with tempfile.TemporaryDirectory() as folder:
    plant = bench_process.plant(jostle, "sim-2", name, f"{folder}/plant.h5")
    try:
        result = subprocess.run([suite, "sim=sim-2"], env={**os.environ, "TEST_ATTACH": name}, capture_output=True, text=True)
    finally:
        plant.end()
print(result.stdout, result.stderr)
sys.exit(result.returncode)
