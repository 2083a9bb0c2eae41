"""Asking before something is removed, and the words and figures of what is removed."""

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from resources.wording import counted, dollars, duration

if TYPE_CHECKING:
    from io_managers.store.retention.rules import Removed

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Remove without asking.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would be removed, and remove nothing.")]


def can_ask() -> bool:
    """Whether there is somebody at a terminal who can be asked."""
    return sys.stdin is not None and sys.stdin.isatty() and os.isatty(2)


def ask(question: str) -> bool:
    """Ask on the terminal; no answer is a no."""
    return typer.confirm(question, default=False, err=True)


def megabytes(size_bytes: float) -> str:
    """A size for people."""
    return f"{size_bytes / 2**20:,.1f} MB" if size_bytes < 2**30 else f"{size_bytes / 2**30:,.2f} GB"


def recomputing(removed: "Removed") -> str:
    """What computing results again would cost, in words."""
    took = f"{duration(removed.seconds)} of work" if removed.seconds >= 0.5 else "less than a second of work"
    if not removed.requests and not removed.usd and not removed.unpriced:
        return f"no money and {took}"
    return f"up to {counted(removed.requests, 'request')} to models, {dollars(removed.usd, removed.unpriced)} dollars, and {took}"


def figures_json(removed: "Removed") -> dict[str, float]:
    """The figures of what is removed, under stable keys."""
    return {
        "results": removed.results,
        "bytes": removed.bytes,
        "usd": round(removed.usd, 6),
        "unpriced_requests": removed.unpriced,
        "requests": removed.requests,
        "seconds": round(removed.seconds, 3),
    }
