"""What alexbook reads off the processor, and what it asks of it."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from alexbook import _cpu

AVX512 = "avx512f avx512dq avx512bw avx512vl"
INTEL, AMD = "vendor_id\t: GenuineIntel\n", "vendor_id\t: AuthenticAMD\n"
# Lines of /proc/cpuinfo, and whether the processor has bfloat16, AVX-512, AMX, and is faster in bfloat16.
PROCESSORS = {
    "old": (f"{INTEL}flags\t\t: fpu sse2 avx avx2", False, False, False, False),
    "AVX-512 alone": (f"{INTEL}flags\t\t: fpu {AVX512}", False, True, False, False),
    "Intel without AMX": (f"{INTEL}flags\t\t: fpu {AVX512} avx512_bf16", True, True, False, False),
    "Intel": (f"{INTEL}flags\t\t: fpu {AVX512} avx512_bf16 amx_bf16 amx_tile", True, True, True, True),
    "old AMD": (f"{AMD}flags\t\t: fpu avx avx2", False, False, False, False),
    "AMD": (f"{AMD}flags\t\t: fpu {AVX512} avx512_bf16", True, True, False, True),
    "Arm": ("Features\t: fp asimd bf16 i8mm", True, False, False, False),
    "none": ("", False, False, False, False),
}


@pytest.fixture
def processor(monkeypatch, tmp_path):
    """Makes the processor one that /proc/cpuinfo describes with the given text."""

    def describe(text):
        (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{text}\n\nprocessor\t: 1\nmodel name\t: another\n")
        monkeypatch.setattr(_cpu, "Path", lambda path: tmp_path / "cpuinfo")
        _cpu._described.cache_clear()
        _cpu.has_tiles.cache_clear()

    yield describe
    monkeypatch.undo()
    _cpu._described.cache_clear()
    _cpu.has_tiles.cache_clear()


@pytest.mark.parametrize("name", PROCESSORS)
def test_what_a_processor_can(name, processor, monkeypatch):
    text, bf16, avx512, amx, faster = PROCESSORS[name]
    asked = []
    libc = type("libc", (), {"syscall": staticmethod(lambda *words: asked.append(words) or 0)})
    processor(text)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: libc)
    assert (_cpu.has_bf16(), _cpu.has_avx512(), _cpu.has_tiles()) == (bf16, avx512, amx)
    assert _cpu.is_faster_in_bf16() is faster
    assert asked == ([(158, 0x1023, 18)] if amx else [])  # nothing is asked of a kernel that has no such thing


def test_a_kernel_that_refuses_the_matrix_unit(processor, monkeypatch):
    processor(PROCESSORS["Intel"][0])
    monkeypatch.setattr(ctypes, "CDLL", lambda name: type("libc", (), {"syscall": staticmethod(lambda *words: -1)}))
    assert not _cpu.has_tiles() and not _cpu.is_faster_in_bf16()


def test_the_name_of_a_processor(processor):
    processor("model name\t: AMD EPYC 9B14")
    assert _cpu.cpu_name() == f"AMD EPYC 9B14, {_cpu.cores()} cores"


def test_kept_memory_is_not_fetched_again():
    code = """
import resource, sys, numpy
from alexbook._cpu import keep_memory
for keep in sys.argv[1:]:
    keep_memory(keep == "keep")
numpy.ones(2**24)  # 128 MB
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(3):
    numpy.ones(2**24)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    ways = ((), ("keep",), ("keep", "give back"), ("keep", "give back", "keep"))
    small = os.environ | {"NUMPY_MADVISE_HUGEPAGE": "0"}  # whether Linux has a huge page to give is a matter of luck
    faults = [int(subprocess.check_output([sys.executable, "-c", code, *words], env=small)) for words in ways]
    if sys.platform == "linux":
        assert faults[1] * 10 < faults[0]
        assert faults[2] == pytest.approx(faults[0], rel=0.1)
        assert faults[3] * 10 < faults[0]


def test_what_is_kept_comes_in_huge_pages_and_the_heap_grows_for_them_once():
    code = """
import re, sys
from pathlib import Path
from alexbook._cpu import keep_memory
for _ in range(int(sys.argv[1])):
    keep_memory()
heap = re.findall(r"\\[heap\\]\\nSize: +(\\d+) kB\\n.*?VmFlags: (.*?)\\n", Path("/proc/self/smaps").read_text(), re.S)
print(sum(int(size) for size, flags in heap if "hg" in flags.split()) // 1000)
"""
    if sys.platform == "linux" and Path("/sys/kernel/mm/transparent_hugepage").exists():
        mb = [int(subprocess.check_output([sys.executable, "-c", code, times])) for times in ("0", "1", "20")]
        assert mb[0] == 0 and mb[1] == pytest.approx(7 * 2**28 / 1e6, rel=0.05)
        assert mb[2] == pytest.approx(mb[1], rel=0.01)
