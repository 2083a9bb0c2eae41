"""Looks at tables that are published or mirrored: can the place be reached and written, and how old is what is there."""

import time
from collections.abc import Iterator

from seed_assets.doctor.probe import Finding, Probe
from seed_assets.session.session import Session

_HOUR_SECONDS = 3_600.0
# A mirror that was not looked at for so many times the interval is not kept up to date by anybody (a judgement).
_LATE = 10


def probes_of(session: Session) -> Iterator[Probe]:
    """The probe of published tables, and that of mirrored ones."""
    remedy = 'See docs/sharing.md; store.remote_access = "off" does without for now.'
    yield Probe("published tables", lambda: _published(session), remedy)
    yield Probe("mirrored tables", lambda: _mirrored(session), remedy)


def _published(session: Session) -> Finding:
    if not session.settings.tables.publish_to:
        return Finding("off", "Tables are not published (tables.publish_to).")
    from io_managers.sharing.editions.editions_there import editions_in, newest
    from seed_assets.session.published_tables import PublishedTables, publishes

    if not publishes(session):
        return Finding("off", "Tables are not published from here (store.remote_access).")
    tables, found = PublishedTables(session), Finding("fine", "")
    access = tables.access()
    with found.timed("test of writing"):
        if warning := access.check_writable():
            found.warn(warning, "")
    refused: dict[str, str] = {}
    with found.timed("look at the newest edition"):
        edition = newest(access, editions_in(access), refused)
    for name, reason in refused.items():
        found.warn(f"{name} cannot be used: {reason}", "`seedbank tables publish --take-over` publishes a newer one.")
    if edition is None:
        found.said += f" Nothing is published at {access.bucket.address} yet."
    elif edition.digest not in tables.record.known:
        found.state = "fault"
        found.said = f"Another home publishes at {access.bucket.address}."
        found.remedy = "Give each knowledge base an address of its own, or run `seedbank tables publish --take-over`."
    else:
        found.said = f"{access.bucket.address} has edition {edition.edition.number:,}. {found.said}".strip()
    if tables.is_due():
        found.warn("The tables have changed since they were published.", "Run `seedbank seed`.")
    return found


def _mirrored(session: Session) -> Finding:
    if session.mirrored is None:
        return Finding("off", "No tables of another home are read (tables.read_from).")
    from io_managers.sharing.attaching import open_access
    from io_managers.sharing.editions.editions_there import editions_in, newest
    from seed_assets.session.mirrored_tables import published_at
    from seed_assets.session.sharing import table_rules

    found, mirror = Finding("fine", ""), session.mirrored.mirror
    current = mirror.current()
    if current is None:
        found.warn("Nothing was fetched yet.", "Run `seedbank tables pull`.")
    else:
        found.said = f"Edition {current.number:,} of {published_at(current)} is in use."
        session.mirrored.check_embedder(session.query_embedder.identity)
        late = time.time() - mirror.looked_at() - _LATE * session.settings.tables.refresh_seconds
        if late > 0:
            hours = (time.time() - mirror.looked_at()) / _HOUR_SECONDS
            found.warn(f"Nobody has looked for a newer one for {hours:,.1f} hours.", "Run `seedbank tables pull`.")
    if session.settings.store.remote_access == "off":
        return found
    access = open_access(table_rules(session.settings, reads=True))
    access.check_readable()
    refused: dict[str, str] = {}
    with found.timed("look at the newest edition"):
        there = newest(access, editions_in(access), refused)
    for name, reason in refused.items():
        found.warn(f"{name} cannot be used: {reason}", "Tell those who publish there.")
    if there is not None and (current is None or there.edition.number > current.number):
        found.said += f" Edition {there.edition.number:,} is there."
    return found
