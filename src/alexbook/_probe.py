"""Tries a package in a process of its own, so that no crash of a framework can stop the one who asks."""

import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import distributions
from importlib.util import find_spec

MARKS = {True: "[OK]  ", False: "[FAIL]", None: "[ - ] "}
D2L = "1.0.3"  # the one version of d2l that the backends hand through
D2L_IMPORTS = {  # in any of its three parts, by module: it is installed without what it declares
    "IPython": "ipython",
    "PIL": "pillow",
    "matplotlib": "matplotlib",
    "matplotlib_inline": "matplotlib-inline",
    "pandas": "pandas",
    "requests": "requests",
    "scipy": "scipy",
}
PATIENCE = 180  # seconds for a framework to import: from a cold disk it takes half a minute


@dataclass(frozen=True)
class Check:
    """One line of a report: does it work (None: it need not), its name, what was found, and the fix."""

    works: bool | None
    name: str
    found: str
    fix: str = ""

    def __str__(self) -> str:
        """The line, and below it the fix, if there is one."""
        line = f"{MARKS[self.works]} {self.name:<10} {self.found}"
        return f"{line}\n       fix: {self.fix}" if self.fix else line


def mxnet_has_wheel() -> bool:
    """Whether MXNet can be installed on this machine: Linux and Macs, with processors of Intel's kind."""
    return platform.system() in ("Linux", "Darwin") and platform.machine() == "x86_64"


def others_have_wheels() -> bool:
    """Whether today's PyTorch and TensorFlow can be installed on this machine: no longer on Macs of Intel."""
    return (platform.system(), platform.machine()) != ("Darwin", "x86_64")


@dataclass(frozen=True)
class Package:
    """A package to try: its name, its module, what installs it, and code that sets `m` and `gpus`.

    `has_wheel` says whether this machine can have it, and `absent` what to tell where not, the machine as {}.
    """

    name: str
    module: str
    install: str
    code: str
    has_wheel: Callable[[], bool] = lambda: True
    absent: str = ""


NUMPY = Package("NumPy", "numpy", "numpy", "import numpy as m; gpus = []")
MXNET = Package(
    "MXNet",
    "mxnet",
    "--no-deps mxnet==1.9.1",  # it declares numpy<2, and runs on NumPy 2
    "from alexbook._mxnet_numpy import import_mxnet; m = import_mxnet();"
    "gpus = [f'GPU {i}' for i in range(m.context.num_gpus())]",
    mxnet_has_wheel,
    "MXNet 1.9.1, its last release, has no wheel for {}, only for Linux on x86_64 and Intel Macs: read the book's "
    "MXNet parts here and run them on Colab, or use PyTorch or TensorFlow",
)
PYTORCH = Package(
    "PyTorch",
    "torch",
    "torch torchvision",
    "import torch as m, torchvision;gpus = [m.cuda.get_device_name(i) for i in range(m.cuda.device_count())]",
    others_have_wheels,
    "today's PyTorch has no wheel for {}",
)
TENSORFLOW = Package(
    "TensorFlow",
    "tensorflow",
    "tensorflow",
    "import tensorflow as m; gpus = [gpu.name for gpu in m.config.list_physical_devices('GPU')]",
    others_have_wheels,
    "today's TensorFlow has no wheel for {}",
)
FRAMEWORKS = (MXNET, PYTORCH, TENSORFLOW)


def absent_reason(package: Package) -> str | None:
    """Why a framework cannot be had on this machine, in one line; None where it is installed or has a wheel."""
    if find_spec(package.module) or package.has_wheel():
        return None
    return package.absent.format(f"{platform.system()} on {platform.machine()}")


def mxnet_absent_reason() -> str | None:
    """The same of MXNet."""
    return absent_reason(MXNET)


def install(packages: str, again: bool = False) -> str:
    """The command that installs packages into this Python, which may have no pip; `again`: what is there already."""
    python = _quoted(sys.executable)
    if any(distributions(name="pip")):  # to ask find_spec would have setuptools put distutils away
        return f"{python} -m pip install {'--force-reinstall ' * again}{packages}"
    uv = _quoted(shutil.which("uv") or ".uv/bin/uv")  # in the book's folder, where make has fetched it
    return f"{uv} pip install --python {python} {'--reinstall ' * again}{packages}"


def _quoted(path: str) -> str:
    return f'"{path}"' if " " in path else path


def install_everything() -> str:
    """The command that installs all three frameworks."""
    return f"{install('--no-deps -r requirements/all.txt')} (in the book's folder; it installs everything)"


def probe(package: Package) -> tuple[Check, list[str]]:
    """Imports the package in a process of its own; gives its line and the GPUs that it sees."""
    code = f"{package.code}; import json; print(json.dumps([m.__version__, gpus]))"
    command = [sys.executable, "-X", "utf8", "-P", "-c", code]  # -P: a torch.py in the current folder is not PyTorch
    try:
        run = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="backslashreplace", timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return _broken(package, f"its import took more than {PATIENCE} s"), []
    if run.returncode:
        *_, last = ("none", *run.stderr.strip().splitlines())
        crash = f"its import crashed (exit code {run.returncode}); its last words: {last}"
        return _broken(package, last if run.returncode == 1 else crash), []  # 1: Python's own, a traceback
    found, gpus = json.loads(run.stdout.splitlines()[-1])
    return Check(True, package.name, found), gpus


def _broken(package: Package, why: str) -> Check:
    command = install(package.install, again=find_spec(package.module) is not None)
    return Check(False, package.name, why, f"{command}, or {install_everything()}")
