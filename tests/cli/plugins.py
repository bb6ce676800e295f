"""One file and one line: a dummy energy term, driver and learning rule added to a copy of the tree, built and used.

usage: plugins.py SOURCE_DIR
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

source = pathlib.Path(sys.argv[1])


def derive(tree, pattern, new, changes):
    """A new member written after the pattern of an existing one."""
    text = (tree / pattern).read_text()
    for old, other in changes:
        assert old in text, f"{pattern} no longer holds \"{old}\""
        text = text.replace(old, other)
    (tree / new).write_text(text)


def add_line(tree, file, after, line):
    text = (tree / file).read_text()
    assert after in text
    (tree / file).write_text(text.replace(after, after + "\n" + line, 1))


def run(*command, cwd):
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert result.returncode == 0, f"{' '.join(map(str, command))}:\n{(result.stdout + result.stderr)[-4000:]}"
    return result.stdout


with tempfile.TemporaryDirectory() as folder:
    tree = pathlib.Path(folder) / "tree"
    shutil.copytree(source, tree, ignore=shutil.ignore_patterns("build", ".git"))

    derive(tree, "protocols/terms/onsite_power.c", "protocols/terms/dummy.c",
           [("term_onsite_power", "term_dummy"), ('"onsite-power"', '"dummy"'), ('"onsite-power powers=1-4"', '"dummy powers=2"')])
    add_line(tree, "protocols/CMakeLists.txt", "plugin(term onsite_power)", "plugin(term dummy)")
    derive(tree, "daq/drivers/sim.c", "daq/drivers/dummy.c", [("driver_sim", "driver_dummy"), ('.name = "sim"', '.name = "dummy"')])
    add_line(tree, "daq/CMakeLists.txt", "plugin(driver sim)", "plugin(driver dummy)")
    derive(tree, "learning/estimators/denoising.c", "learning/estimators/dummy.c",
           [("estimator_denoising", "estimator_dummy"), ('.name = "denoising"', '.name = "dummy"')])
    add_line(tree, "learning/CMakeLists.txt", "plugin(estimator denoising)", "plugin(estimator dummy)")

    build = pathlib.Path(folder) / "build"
    run("cmake", "-S", tree, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo", cwd=folder)
    suites = ["terms", "terms_block", "driver_conformance", "estimators"]
    run("ninja", "jostle", *[f"test_{suite}" for suite in suites], cwd=build)
    run("ctest", "-R", f"^({'|'.join(suites)})$", "--output-on-failure", cwd=build)

    listed = run(build / "jostle", "list", cwd=folder)
    assert listed.count("\n  dummy ") == 3, listed

    # And used: the dummy rule learns with the dummy term; the dummy driver runs the bench.
    bench = (tree / "daq/benches/sim-2.yaml").read_text().replace("driver: sim", "driver: dummy")
    (pathlib.Path(folder) / "bench.yaml").write_text(bench)
    run(build / "jostle", "train", "--task", "two-gaussians", "--rule", "dummy", "--term", "dummy powers=2,4", "--steps", "20",
        "--batch", "256", "--out", "p.h5", cwd=folder)
    run(build / "jostle", "sample", "--bench", "./bench.yaml", "--protocol", "p.h5", "-n", "2", "--out", "s.h5", cwd=folder)
