"""A virtual machine with a PREEMPT_RT kernel and four comedi cards in software, that runs programs built on the host.

QEMU emulates it; Debian's real-time kernel package is fetched once and kept, with the initramfs, in build/vm. The guest sees
the host's files read-only, the project at its own path, /tmp and /run empty, and one folder of results that it can write.
/dev/comedi0 to /dev/comedi3 are comedi_test cards: 8 inputs that read back 8 outputs, 16 bit; /dev/comedi4 is a parallel port,
for digital lines. /dev/ttyS1 and /dev/ttyS2 are
UARTs with a null modem between them.

Virtual time (one instruction is 2 ns, idle time is skipped) repeats whatever else the host does, and is no evidence of speed.
"""
import contextlib
import fcntl
import glob
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import zlib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CACHE = ROOT / "build" / "vm"
META = "linux-image-rt-amd64"
NEEDED = ["qemu-system-x86_64", "busybox", "cpio", "dpkg-deb"]
# In the order of loading. Absent ones are built into the kernel, or another kernel's.
MODULES = ["drivers/comedi/comedi comedi_num_legacy_minors=6", "drivers/comedi/drivers/comedi_test noauto=1",
           "drivers/comedi/drivers/comedi_parport",
           "drivers/virtio/virtio_ring", "drivers/virtio/virtio", "drivers/virtio/virtio_pci_legacy_dev",
           "drivers/virtio/virtio_pci_modern_dev", "drivers/virtio/virtio_pci", "fs/netfs/netfs", "fs/fscache/fscache",
           "net/9p/9pnet", "net/9p/9pnet_virtio", "fs/9p/9p"]


class Unavailable(Exception):
    """QEMU or the kernel package can't be had here."""


def call(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode:
        raise Unavailable(f"{' '.join(map(str, command))}: {done.stdout.strip()[-300:]}")
    return done.stdout


def kernel_package():
    """The package file, fetched unless one is there."""
    kept = sorted(glob.glob(str(CACHE / "linux-image-*-rt-amd64_*.deb")))
    if kept:
        return kept[-1]
    found = re.search(r"Depends: (linux-image-\S+)", call("apt-cache", "depends", META))
    if not found:
        raise Unavailable(f"apt-cache knows no kernel behind {META}")
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        call("apt-get", "download", found.group(1), cwd=folder)
        file, = os.listdir(folder)
        os.rename(f"{folder}/{file}", CACHE / file)
    return str(CACHE / file)


def unpack(package, folder):
    """The kernel's image and what modules there are of MODULES, out of some hundred MB."""
    wanted = ["./boot/vmlinuz-*"] + [f"./lib/modules/*/kernel/{module.split()[0]}.ko*" for module in MODULES]
    archive = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", folder, "--wildcards", *wanted], stdin=archive.stdout, stderr=subprocess.DEVNULL)
    if archive.wait():
        raise Unavailable(f"{package} can't be unpacked")


def pack_initramfs(tree, initramfs):
    """busybox, init and the modules in the order of loading."""
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        for folder in ["bin", "modules", "proc", "sys", "dev"]:
            (work / folder).mkdir()
        shutil.copy(shutil.which("busybox"), work / "bin/busybox")
        shutil.copy(HERE / "init", work / "init")
        with open(work / "modules/order", "w") as order:
            for module in MODULES:
                path, *options = module.split()
                for file in glob.glob(f"{tree}/lib/modules/*/kernel/{path}.ko"):
                    shutil.copy(file, work / "modules")
                    print(os.path.basename(path), *options, file=order)
        files = "\n".join(str(file.relative_to(work)) for file in sorted(work.rglob("*")))
        with open(initramfs, "wb") as out:
            subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=files.encode(), cwd=work, stdout=out, check=True)


def prepare():
    """The kernel's image and the initramfs, made where they are not there. Raises Unavailable."""
    for program in NEEDED:
        if not shutil.which(program):
            raise Unavailable(f"{program} is not installed (.ci/packages.txt)")
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tree = CACHE / f"tree-{zlib.crc32(repr(MODULES).encode()):08x}"
        if not tree.exists():
            with tempfile.TemporaryDirectory(dir=CACHE) as folder:
                unpack(kernel_package(), folder)
                shutil.copytree(folder, tree)
        images = glob.glob(f"{tree}/boot/vmlinuz-*")
        if not images:
            shutil.rmtree(tree)
            raise Unavailable("the kernel package holds no kernel")
        initramfs = CACHE / "initramfs"
        pack_initramfs(tree, initramfs.with_suffix(".new"))
        os.rename(initramfs.with_suffix(".new"), initramfs)
    return images[0], str(initramfs)


class Job:
    """A command to run in the machine, and what became of it."""

    def __init__(self, name, command, timeout=60):
        self.name, self.command, self.timeout = name, [str(word) for word in command], timeout
        self.status, self.text, self.seconds = None, "", None

    @property
    def passed(self):
        return self.status == 0

    def __str__(self):
        how = {None: "did not run", 0: "passed", 124: f"took more than {self.timeout} s", 137: "killed"}
        seconds = "" if self.seconds is None else f" ({self.seconds:.1f} s of the machine's time)"
        return f"{self.name}: {how.get(self.status, f'exit status {self.status}')}{seconds}"


def script(jobs):
    """What the machine runs: each job in a session of its own, killed as a whole when its time is over."""
    lines = ["mkdir -p /tmp/job", "cd /tmp/job"]
    for number, job in enumerate(jobs):
        at = f"/tmp/out/{number}"
        lines += [f"echo 'GUEST job {job.name}'", "begin=$(cut -d' ' -f1 /proc/uptime)",
                  f"timeout -k 5 {job.timeout} {shlex.join(job.command)} >{at}.text 2>&1 </dev/null",
                  f"echo $? $begin $(cut -d' ' -f1 /proc/uptime) >{at}.new; mv {at}.new {at}.status"]
    return "\n".join(lines) + "\n"


@contextlib.contextmanager
def results_folder():
    """The share that the machine can write. Its path is short: a socket is in it."""
    folder = tempfile.mkdtemp(prefix="jostle-vm-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def share(folder, tag, readonly):
    """The options of QEMU for a folder of the host."""
    path = str(folder).replace(",", ",,")
    return ["-virtfs", f"local,path={path},mount_tag={tag},security_model=none,multidevs=remap" + ",readonly=on" * readonly]


def run(jobs, virtual_time=False, limit=600, keep=None):
    """Boot, run the jobs one after the other, power off. Fills in the jobs; returns what the console said. `keep` is a folder
    on the host for the files that jobs leave in /tmp/out. `limit` is in the host's seconds. Raises Unavailable."""
    image, initramfs = prepare()
    with results_folder() as out:
        with open(f"{out}/run.sh", "w") as file:
            file.write(script(jobs))
        with open(f"{out}/project", "w") as file:
            file.write(str(ROOT))
        qemu = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "1024", "-M", "q35",
                "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-kernel", image, "-initrd", initramfs,
                "-append", "console=ttyS0 quiet panic=-1 mitigations=off tsc=reliable"
                + " never_idle" * virtual_time,
                *share("/", "root", True), *share(ROOT, "project", True), *share(out, "out", False),
                "-chardev", f"socket,id=a,path={out}/modem,server=on,wait=off", "-chardev", f"socket,id=b,path={out}/modem",
                "-chardev", "null,id=lines", "-device", "isa-parallel,chardev=lines,iobase=0x378",
                "-serial", f"file:{out}/console", "-serial", "chardev:a", "-serial", "chardev:b"]
        qemu += ["-icount", "shift=1,sleep=off"] if virtual_time else []
        try:
            ended = subprocess.run(qemu, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, timeout=limit).stdout
        except subprocess.TimeoutExpired:
            ended = f"powered off after {limit} s\n"
        console = pathlib.Path(f"{out}/console")
        said = (console.read_text(errors="replace") if console.exists() else "") + ended
        collect(jobs, pathlib.Path(out))
        if keep:
            for file in pathlib.Path(out).glob("*.h5"):
                shutil.copy(file, keep)
    return said


def collect(jobs, out):
    """What each job said, and how it ended."""
    for number, job in enumerate(jobs):
        text, status = out / f"{number}.text", out / f"{number}.status"
        if text.exists():
            job.text = text.read_text(errors="replace")
        if status.exists():
            code, begin, end = status.read_text().split()
            job.status, job.seconds = int(code), float(end) - float(begin)


def save(jobs, file):
    with open(file, "w") as out:
        json.dump([vars(job) for job in jobs], out, indent=1)


def load(file):
    jobs = []
    with open(file) as text:
        for fields in json.load(text):
            job = Job(fields["name"], fields["command"], fields["timeout"])
            job.__dict__.update(fields)
            jobs.append(job)
    return jobs
