"""Where an item of an AsciiDoc list stands: how deep, and with which number. What does not belong here: its text."""


class ListPlaces:
    """The kinds of items of a list, the outermost first, and how many items each has."""

    def __init__(self) -> None:
        self._kinds: list[str] = []
        self._counts: list[int] = []

    def begin(self, marker: str) -> tuple[str, int]:
        """Return (what stands in front of an item, how many lists it is within). marker: as it is written."""
        first = marker[0]
        kind = marker if first in "*-." else "1" if first.isdigit() else "<" if first == "<" else "a"
        if kind in self._kinds:
            place = self._kinds.index(kind)
            del self._kinds[place + 1 :], self._counts[place + 1 :]
        else:
            self._kinds.append(kind)
            self._counts.append(0)
        self._counts[-1] += 1
        depth = len(self._kinds) - 1
        if first in ".<":
            return f"{self._counts[-1]}.", depth
        return "-" if first in "*-" else marker, depth
