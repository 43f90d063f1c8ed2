"""The command `alexbook doctor`: says what works on this machine, and how to mend what does not."""

import argparse
import contextlib
import io
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import alexbook
from alexbook import profiles
from alexbook._probe import (
    D2L,
    D2L_IMPORTS,
    FRAMEWORKS,
    NUMPY,
    Check,
    Package,
    absent_reason,
    install,
    install_everything,
    probe,
)

ABOUT = """\
Helps readers of the book that builds AlexNet in MXNet, PyTorch and TensorFlow side by side.
Start with: alexbook doctor"""

MORE = """\
environment variables that the book's notebooks heed:
  ALEXBOOK_PROFILE   full, quick or smoke: how much to train (on most pages full where there is a GPU, else quick)
  ALEXBOOK_DATA      the folder that has Fashion-MNIST; no other place is then tried
  ALEXBOOK_OFFLINE   1: never download, use the shipped sample where the data is not at hand
  ALEXBOOK_LANGUAGE  en or ja: in which language the exercises are checked (each notebook sets its own)
  ALEXBOOK_CHECKPOINTS  the folder where each training of a process is kept, to go on from

exit status: 0 nothing failed, 1 something did, 2 the command was not understood"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives 0 if nothing failed, else 1, and exits with 2 if it is not understood."""
    parser = argparse.ArgumentParser(
        "alexbook", description=ABOUT, epilog=MORE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=alexbook.__version__)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    commands.add_parser("doctor", help="try what the book needs: a line each, and the fix for what fails")
    parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a framework's message may have what the console has not
        sys.stdout.reconfigure(errors="backslashreplace")
    works = [print_check(check) for check in checks()]
    return 1 if False in works else 0


def print_check(check: Check) -> bool | None:
    """Prints a line as soon as it is known, since some take half a minute."""
    print(check, flush=True)
    return check.works


def checks() -> Iterator[Check]:
    """Every line of the report, in order."""
    yield check_python()
    yield check_alexbook()
    packages, gpus = check_packages()
    yield from packages
    yield check_gpu(gpus)
    yield check_d2l()
    yield check_data(packages[0])
    told: dict[Check, list[str]] = {}  # each framework takes the profile that fits what it sees
    for name, seen in (gpus or {"": []}).items():
        told.setdefault(check_profile(bool(seen)), []).append(name)
    for check, names in told.items():
        yield check if len(told) == 1 else replace(check, found=f"{check.found} ({', '.join(names)})")


def check_packages() -> tuple[list[Check], dict[str, list[str]]]:
    """NumPy and each framework, all tried at once; and the GPUs that each working framework sees."""
    absent = {package: reason for package in FRAMEWORKS if (reason := absent_reason(package))}

    def ask(package: Package) -> tuple[Check, list[str]]:
        return (Check(None, package.name, absent[package]), []) if package in absent else probe(package)

    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(ask, (NUMPY, *FRAMEWORKS)))
    gpus = {check.name: seen for check, seen in answers[1:] if check.works}
    return [check for check, _ in answers], gpus


def check_gpu(seen: dict[str, list[str]]) -> Check:
    """What each working framework sees; none is no failure, since everything runs on the CPU too."""
    each = "; ".join(f"{name}: {', '.join(gpus) or 'none'}" for name, gpus in seen.items())
    return Check(any(seen.values()) or None, "GPU", each or "no framework to ask")


def check_python() -> Check:
    """The versions that the locks are made for."""
    fits = (3, 11) <= sys.version_info < (3, 14)
    fix = "" if fits else "make clean .venv/all (in the book's folder; it finds or fetches a Python that fits)"
    return Check(fits, "Python", f"{platform.python_version()} (3.11 to 3.13 will do)", fix)


def check_alexbook() -> Check:
    """Whether it is installed, not only found in the current folder."""
    installed = alexbook.__version__ != "0+unknown"
    return Check(installed, "alexbook", alexbook.__version__, "" if installed else _itself())


def _itself() -> str:
    return f"{install('--no-deps -e .', again=True)} (in the book's folder)"


def check_d2l() -> Check:
    """The one version of d2l that the backends hand through, and what it imports; itself it wants a framework."""
    try:
        found = version("d2l")
    except PackageNotFoundError:
        found = "not installed"
    if found != D2L:
        fix = f"{install(f'--no-deps d2l=={D2L}')}, or {install_everything()}"
        return Check(False, "d2l", f"expected {D2L}, got: {found}", fix)
    if lacking := [package for module, package in D2L_IMPORTS.items() if not find_spec(module)]:
        fix = f"{install(' '.join(lacking))}, or {install_everything()}"
        return Check(False, "d2l", f"{D2L}, but without {', '.join(lacking)}, which it imports", fix)
    return Check(True, "d2l", D2L)


def check_data(numpy: Check) -> Check:
    """Loads the data as a chapter would, which may download it."""
    if not numpy.works:
        return Check(False, "data", "cannot be read without NumPy", numpy.fix)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # the notice of the sample, which this line replaces
            from alexbook import data

            counts = [len(data.load(split)[1]) for split in data.SPLITS]
    except Exception as error:  # whatever it is, the report goes on
        fix = "unset ALEXBOOK_DATA, or correct it" if os.environ.get("ALEXBOOK_DATA") else _itself()
        fix = install_everything() if isinstance(error, ImportError) else fix
        return Check(False, "data", f"{type(error).__name__}: {error}", fix)
    found = "{}: {:,} training and {:,} test images".format(data.source(), *counts)
    if counts[0] == 60_000:
        return Check(True, "data", found)
    return Check(None, "data", found, "connect to the network, or set ALEXBOOK_DATA to a folder with Fashion-MNIST")


def check_profile(accelerator: bool) -> Check:
    """The profile that a chapter would use."""
    try:
        profile = profiles.current_profile(accelerator)
    except ValueError as error:
        return Check(False, "profile", str(error), "unset ALEXBOOK_PROFILE, or correct it")
    epochs = "all epochs" if profile.epochs is None else f"at most {profile.epochs} epoch(s)"
    return Check(True, "profile", f"{profile.name}: up to {profile.train:,} training images, {epochs}")
