#!/usr/bin/env python3
"""Records data/replay-2.h5 anew: two simulated oscillators, displacements read, five seconds of rest, one generated sample.

    tests/golden/recording.py build/dev/jostle

The bench is daq/benches/replay-2.yaml with the simulated plant behind it. Of what `jostle run` wrote the rows are kept, in
chunks that are no larger than they need be, and what says something of the computer that recorded is left out.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

import h5py
import numpy

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "cli"))
import bench_process  # noqa: E402

JOSTLE = sys.argv[1]
OUT = ROOT / "data" / "replay-2.h5"
OF_THIS_COMPUTER = ("doctor", "histograms")


def record(folder):
    text = (ROOT / "daq" / "benches" / "replay-2.yaml").read_text()
    text = re.sub(r"devices: .*", "devices: [two-oscillators]", text.replace("driver: replay", "driver: sim"))
    bench = pathlib.Path(folder) / "two-recorded.yaml"
    bench.write_text(text)
    process = bench_process.run(JOSTLE, bench, "replay-2", folder, "--record", folder, "--seed", "1",
                                "--protocol", ROOT / "tests" / "golden" / "protocol.h5", attach=False)
    try:
        draw(folder)
    finally:
        process.end()
    return next(pathlib.Path(folder).glob("replay-2-*-000.h5"))


def draw(folder):
    client = bench_process.Client(folder)
    client.go()
    client.do("manual", output=0, volts=0.25)
    client.do("manual", output=0, volts=None)
    client.do("sample", n=1, relax=4, t_final=1)
    client.wait(lambda status: status["samples"] >= 1)
    client.do("stop")
    client.do("shutdown")
    client.close()


def copy_attributes(source, target):
    for name in source.attrs:
        if name not in OF_THIS_COMPUTER:
            old = h5py.h5a.open(source.id, name.encode())
            value = numpy.empty(old.shape, old.dtype)
            old.read(value, mtype=old.get_type())
            h5py.h5a.create(target.id, name.encode(), old.get_type(), old.get_space()).write(value, mtype=old.get_type())


def copy(source, target):
    """Object by object, of the very same types; where a dataset is chunked, in one chunk."""
    copy_attributes(source, target)
    for name, item in source.items():
        if name in OF_THIS_COMPUTER:
            continue
        if isinstance(item, h5py.Group):
            copy(item, target.create_group(name))
            continue
        kind, creation = item.id.get_type(), h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_obj_track_times(False)
        if item.chunks:
            creation.set_chunk(tuple(max(length, 1) for length in item.shape))
        new = h5py.h5d.create(target.id, name.encode(), kind, item.id.get_space(), creation)
        values = numpy.empty(item.shape, item.dtype)
        if values.size:
            item.id.read(h5py.h5s.ALL, h5py.h5s.ALL, values, mtype=kind)
            new.write(h5py.h5s.ALL, h5py.h5s.ALL, values, mtype=kind)
        copy_attributes(item, h5py.Dataset(new))


with tempfile.TemporaryDirectory(prefix="jostle-recording-") as folder:
    with h5py.File(record(folder)) as whole, h5py.File(f"{folder}/small.h5", "w", libver="latest") as small:
        copy(whole, small)
    subprocess.run([JOSTLE, "replay", f"{folder}/small.h5"], check=True)
    OUT.write_bytes(pathlib.Path(f"{folder}/small.h5").read_bytes())
print(f"{OUT}: {OUT.stat().st_size} bytes")
