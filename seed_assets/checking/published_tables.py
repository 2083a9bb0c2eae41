"""Checks of tables beside the home's own: what is published of them, and a mirror of published ones. They belong to no stage."""

from collections.abc import Iterator

from io_managers.store.errors import RemoteError
from resources.errors import ConfigurationError
from resources.wording import counted
from seed_assets.checking.check_run import Check
from seed_assets.graph.declared_checks import Finding
from seed_assets.session.session import Session

_WHAT = "tables"


def table_findings(session: Session) -> Iterator[tuple[Check, Finding]]:
    """What is found of published tables, if the settings name any."""
    if session.settings.tables.read_from:
        look = _mirror_as_fetched
    elif session.settings.tables.publish_to and session.settings.store.remote_access != "off":
        look = _published_as_they_are
    else:
        return
    # They are run here, since they need a home and not a runner.
    check = Check(look.__name__.strip("_"), _WHAT, "error", False, lambda *_: look(session), look)
    try:
        yield check, look(session)
    except (RemoteError, ConfigurationError) as error:
        yield check, Finding({_WHAT: str(error)}, looked_at=1)


def _mirror_as_fetched(session: Session) -> Finding:
    """Whether each file of the mirrored tables is as it was published."""
    assert session.mirrored is not None
    current = session.mirrored.current()
    faults = session.mirrored.mirror.faults()
    finding = Finding({path: f"{fault}; `seedbank tables pull --repair` fetches it" for path, fault in faults.items()})
    finding.looked_at = len(faults) if "edition" in faults else len(current.edition.files)
    return finding


def _published_as_they_are(session: Session) -> Finding:
    """Whether the newest edition of the published tables is of this home and of the tables as they are now, and has all its
    pieces in their size. `seedbank tables publish --verify` compares what is in them.
    """
    from io_managers.sharing.editions.edition import PIECES, piece_name
    from io_managers.sharing.editions.editions_there import editions_in, newest
    from seed_assets.session.published_tables import PublishedTables

    tables, offenders = PublishedTables(session), dict[str, str]()
    access = tables.access()
    access.check_readable()
    found = newest(access, editions_in(access), offenders)
    if found is None:
        return Finding(
            offenders | {access.bucket.address: "nothing is published there; run `seedbank tables publish`"},
            looked_at=1,
        )
    if found.digest not in tables.record.known:
        offenders[access.bucket.address] = (
            f"edition {found.edition.number:,} is of another home; run `seedbank tables publish --take-over`"
        )
    elif tables.is_due():
        offenders[access.bucket.address] = "the tables have changed since they were published; run `seedbank seed`"
    sizes = {file.name: file.size_bytes for file in access.bucket.list(PIECES)}
    pieces = found.edition.pieces
    wrong = [digest for digest, size_bytes in pieces.items() if sizes.get(piece_name(digest)) != size_bytes]
    if wrong:
        offenders[piece_name(wrong[0])] = (
            f"{counted(len(wrong), 'piece')} missing or cut off; run `seedbank tables publish --verify`"
        )
    return Finding(offenders, looked_at=len(pieces))
