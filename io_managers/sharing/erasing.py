"""Erases documents from a remote, and from what is known of it here. How a remote forgets actions is in `pushing`."""

import time

from io_managers.sharing.pushing import erase
from io_managers.sharing.remote import Remote
from io_managers.store.retention.traces import Outcome, Traces


class RemoteResults:
    """The results of documents in a remote. Raises RemoteError if it cannot be reached."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def erase(self, traces: Traces, *, dry_run: bool) -> Outcome:
        """Erase the results here and there, also those that other homes have pushed whose inputs name the documents.

        A remote that is only read from here keeps them, and so do the segments of other signers until they compact them.
        """
        remote, index = self._remote, self._remote.index
        if not dry_run:
            remote.pull()
        digests = sorted(traces.digests)
        found = index.related(
            set(traces.keys), lambda parts: traces.mentions.in_text(parts) or any(one in parts for one in digests)
        )
        keys = {key for named in found.values() for key in named}
        values = {*found, *digests} - index.others_with({*found, *digests}, {*keys, *traces.keys})
        erased = {"results in the remote": len(keys)} if keys else {}
        if dry_run:
            return Outcome(erased)
        left: list[str] = []
        if not remote.access.writable:
            if keys:
                left.append(
                    f"The remote {remote.bucket.address} is only read from here and still has {len(keys):,} results of it: "
                    "run `seedbank forget` in a home that pushes there."
                )
                erased = {}
        elif others := erase(remote, {*keys, *traces.keys}, values, time.time()):
            left.append(
                f"In the remote {remote.bucket.address}, {len(others)} files of other signers hold inputs and previews of it "
                "until their signers push the next time; nobody uses them."
            )
        index.erase({*keys, *traces.keys})
        return Outcome(erased, tuple(left))
