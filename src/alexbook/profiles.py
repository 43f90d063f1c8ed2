"""How much of the data and of the training a run takes: all, a few minutes' worth, or a test's worth."""

import os
from dataclasses import dataclass
from typing import TypeVar

from alexbook import provenance

Choice = TypeVar("Choice")


@dataclass(frozen=True)
class Profile:
    """The most training images, test images and epochs that a run takes; None is no limit."""

    name: str
    train: int
    test: int
    epochs: int | None


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("full", 60_000, 10_000, None),
        Profile("quick", 10_240, 2_048, 3),  # minutes on a laptop's CPU
        Profile("smoke", 256, 256, 1),  # seconds, for tests
    )
}


def current_profile(accelerator: bool) -> Profile:
    """The profile named by ALEXBOOK_PROFILE; without it, full where there is an accelerator, else quick.

    Raises:
        ValueError: ALEXBOOK_PROFILE names no profile.
    """
    name = os.environ.get("ALEXBOOK_PROFILE") or ("full" if accelerator else "quick")
    if name not in PROFILES:
        raise ValueError(f"ALEXBOOK_PROFILE must be one of {', '.join(PROFILES)}, got {name!r}")
    return PROFILES[name]


def announce(profile: Profile, *, train: int = 0, test: int = 0, validation: int = 0, epochs: int = 0) -> None:
    """Prints one line if the profile cuts any of these: images of a kind, or epochs asked for."""
    amounts = (
        (profile.train, train, "training images"),
        (profile.test, test, "test images"),
        (profile.test, validation, "validation images"),
        (profile.epochs, epochs, "epochs"),
    )
    cuts = [f"{most:,} of {all_:,} {what}" for most, all_, what in amounts if most is not None and most < all_]
    if cuts:
        print(f"Profile {profile.name}: {', '.join(cuts)} (ALEXBOOK_PROFILE=full for all)")


def pick(*, full: Choice, quick: Choice, smoke: Choice, accelerator: bool = False) -> Choice:
    """How large an experiment may be: what the current profile takes of it; prints one line if that is not all.

    Without ALEXBOOK_PROFILE it is full with an accelerator, and where a loader or a training of this process was full.

    Raises:
        ValueError: ALEXBOOK_PROFILE names no profile.
    """
    profile = current_profile(accelerator or provenance.record().get("profile") == "full")
    provenance.log(profile=profile.name)
    choice = {"full": full, "quick": quick, "smoke": smoke}[profile.name]
    if choice != full:
        print(f"Profile {profile.name}: {choice} instead of {full} (ALEXBOOK_PROFILE=full for all)")
    return choice
