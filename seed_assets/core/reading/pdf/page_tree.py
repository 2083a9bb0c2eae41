"""Page trees that say they have fewer pages than they list. pdfium believes the number, so that the last pages are never read.

Programs write such trees when a page was lost: the number leaves it out, and the list still holds a reference to nothing.
"""

import re

_COUNT = re.compile(rb"/Count\s+(\d+)")
_KIDS = re.compile(rb"/Kids\s*\[([^\[\]]*)\]")
_REFERENCE = re.compile(rb"\d+\s+\d+\s+R\b")


def with_all_pages(data: bytes) -> bytes | None:
    """Return the file with the number of its pages as its tree lists them; None if they are equal, or unknown.

    Only trees of one level that are not compressed are understood, and the file keeps its length.
    """
    listed, counted = list(_KIDS.finditer(data)), list(_COUNT.finditer(data))
    if len(listed) != 1:
        return None
    kids = len(_REFERENCE.findall(listed[0][1]))
    # The number stands in the same dictionary: the nearest one before or after the list.
    near = min(counted, key=lambda count: abs(count.start() - listed[0].start()), default=None)
    if near is None or int(near[1]) >= kids or len(near[1]) != len(str(kids)):
        return None
    return data[: near.start(1)] + str(kids).encode() + data[near.end(1) :]
