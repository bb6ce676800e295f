"""The device library is what it says: C99 without extensions, nothing of a C library but string.h, small.

usage: firmware.py SOURCE_DIR CC
"""
import pathlib
import subprocess
import sys
import tempfile

source = pathlib.Path(sys.argv[1]) / "daq" / "serial"
flags = ["-std=c99", "-pedantic-errors", "-ffreestanding", "-Os", "-fno-stack-protector", "-fno-pic", "-Wall", "-Wextra",
         "-Wconversion", "-Werror", "-DFRAMING_MAX_CHANNELS=32"]


def run(*command):
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert result.returncode == 0, f"{' '.join(map(str, command))}:\n{result.stdout}{result.stderr}"
    return result.stdout


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    # Copied alone, as into firmware's own tree: a header of this program would not be found.
    for name in ("framing.c", "framing.h", "device.c", "device.h"):
        (folder / name).write_text((source / name).read_text())
    for name in ("framing", "device"):
        run(sys.argv[2], *flags, "-c", folder / f"{name}.c", "-o", folder / f"{name}.o")
    run("ld", "-r", folder / "framing.o", folder / "device.o", "-o", folder / "library.o")

    # catches: malloc, printf, a clock, floating-point helpers: whatever a bare machine has not
    wanted = {line.split()[-1] for line in run("nm", "-u", folder / "library.o").splitlines()}
    assert wanted <= {"memcpy", "memset", "strlen"}, wanted

    # catches: variables of its own, which would allow only one device and no interrupt
    sizes = run("size", folder / "library.o").splitlines()[1].split()
    text, data, bss = map(int, sizes[:3])
    assert data == 0 and bss == 0, sizes
    assert text < 4096, sizes

    (folder / "size.c").write_text('#include "device.h"\n#include <stdio.h>\n'
                                   'int main(void)\n{\n\tprintf("%zu\\n", sizeof(struct serial_device));\n\treturn 0;\n}\n')
    run(sys.argv[2], "-std=c99", "-DFRAMING_MAX_CHANNELS=32", folder / "size.c", "-o", folder / "size")
    assert int(run(folder / "size")) < 1024
