"""The processor: its name, its cores, whether it computes in bfloat16, and memory that it need not fetch again."""

import contextlib
import ctypes
import functools
import os
import platform
import sys
from pathlib import Path

# From glibc's malloc.h, Linux's asm/prctl.h and asm/mman.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -3, -4, -8
_KEEP = {_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1, _ARENA_MAX: 1}
# What glibc comes to by itself in a program that frees large arrays: the ends of its moving thresholds.
_GIVE_BACK = {_MMAP_MAX: 65_536, _MMAP_THRESHOLD: 2**25, _TRIM_THRESHOLD: 2**26, _ARENA_MAX: 0}
_ARCH_PRCTL, _REQUEST_PERMISSION, _TILE_DATA = 158, 0x1023, 18
_HUGE_PAGES = 14
_PAGE, _STEP = 2**21, 7 * 2**28  # bytes of such a page, and of what a training step may want; less than is trimmed


def cpu_name() -> str:
    """The processor and how many of its cores this process may use, for the record of what ran."""
    return f"{_described('model name') or platform.processor() or platform.machine()}, {cores()} cores"


def cores() -> int:
    """The cores that this process may run on, which may be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def has_bf16() -> bool:
    """Whether the processor multiplies bfloat16 by itself, as far as Linux tells."""
    return not _flags().isdisjoint({"avx512_bf16", "amx_bf16", "bf16"})  # Intel and AMD, Intel, Arm


def has_avx512() -> bool:
    """Whether the processor has the wide registers that older libraries want for bfloat16."""
    return {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= _flags()


@functools.cache
def has_tiles() -> bool:
    """Whether this process may use AMX, Intel's matrix unit; asks Linux for the permission that it wants."""
    if "amx_bf16" not in _flags():
        return False
    libc = ctypes.CDLL(None)
    return bool(libc.syscall(_ARCH_PRCTL, _REQUEST_PERMISSION, _TILE_DATA) == 0)


def is_faster_in_bf16() -> bool:
    """Whether a training on this processor is faster in bfloat16 than in float32.

    With AMX it is, and with AMD's instructions for it (Zen 4 and later): there a step of AlexNet takes about half the
    time, in all three frameworks. With those of Intel's AVX-512 alone PyTorch took 1.6 times as long, TensorFlow 1.7.
    """
    return has_tiles() or (_described("vendor_id") == "AuthenticAMD" and "avx512_bf16" in _flags())


def keep_memory(keep: bool = True) -> None:
    """Has glibc keep the memory that a training step frees, so that the next step finds it mapped; or no longer.

    By default every array of more than 32 MB is given back to Linux at once, and of smaller ones what lies free at the
    end of the heap; the next one of that size costs a page fault for each 4 kB of it. What is kept comes in pages of
    2 MB, where Linux leaves that to the program: the processor has fewer of them to look up.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        for option, value in (_KEEP if keep else _GIVE_BACK).items():
            libc.mallopt(option, value)
        if keep:
            _use_huge_pages(libc)


def _use_huge_pages(libc: ctypes.CDLL) -> None:
    """Has the heap grow by what a step may want, which takes no memory before it is used, and asks for large pages."""
    libc.malloc.restype = ctypes.c_void_p
    if start := libc.malloc(ctypes.c_size_t(_STEP)):
        first = -(-start // _PAGE) * _PAGE
        libc.madvise(ctypes.c_void_p(first), ctypes.c_size_t(start + _STEP - first), _HUGE_PAGES)
        libc.free(ctypes.c_void_p(start))


def _flags() -> set[str]:
    return {*_described("flags").split(), *_described("Features").split()}  # x86, Arm


@functools.cache
def _described(field: str) -> str:
    """What Linux says of the first processor, "" where there is no Linux or no such field."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == field:
                return value.strip()
    return ""
