"""Filters of a search: which documents may be found.

What belongs here: the filters, and what they mean as a condition on the table of chunks. What does not: ranking (ranking), and
queries (candidates).

A filter is a part of each query, so that a narrow one does not leave fewer results than were asked for. Documents that are named
by other tables (concepts, clusters) are looked up there first.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from resources.corpus.formats import SUFFIXES
from resources.tables.lance import LanceTables
from resources.tables.lance_errors import reading
from resources.wording import did_you_mean
from retrieval.field_filters import documents_where, table_in
from retrieval.filter_errors import FilterError

READ = ("documents", "concepts", "document_clusters")
"""The tables that say which documents pass a filter, besides those that conditions name."""
ModifiedAt = Callable[[], Mapping[str, float]]
"""Gives for each document when its file was last modified, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which documents a search may find. A filter without values allows all documents; a document must pass every filter.

    documents: it is one of these. folders: it is in one of these folders or below, as paths below the corpus. formats: it has
    one of these formats or suffixes, such as pdf or md. concepts: it has at least one of these concepts, upper and lower case
    being the same. clusters: it is in one of these clusters, such as topic/3. since: its file was modified on this day or later,
    in local time. where: one of its rows in a table fulfils a condition, such as `contracts.kind=lease`, for each of these.
    """

    folders: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    concepts: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    since: dt.date | None = None
    documents: tuple[str, ...] = ()
    where: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether any document may be left out."""
        return self != Filters()

    @property
    def tidy(self) -> "Filters":
        """The same filters, each value once and in order, without characters that are not text."""
        names = ("folders", "formats", "concepts", "clusters", "documents", "where")
        return Filters(since=self.since, **{name: _tidy(getattr(self, name)) for name in names})

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that say which documents pass. Raises FilterError for a condition that is none."""
        return (*READ, *map(table_in, self.where))


NO_FILTERS = Filters()
"""The filters of a search in all documents."""


def _tidy(values: Iterable[str]) -> tuple[str, ...]:
    # Lone surrogates come from a command line that is not UTF-8, and no name has a NUL.
    return tuple(sorted({one.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8") for one in values}))


def condition_of(filters: Filters, tables: LanceTables, modified_at: ModifiedAt | None) -> str:
    """The condition on rows of the table of chunks, in LanceDB's SQL; "" if all rows are allowed.

    Raises FilterError for a document that is not there, for a folder, format, concept or cluster that no document has, with
    similar names, for a condition that cannot be read, and if `since` is given and the times of files are not known; and the
    errors of LanceTables.checked.
    """
    if not filters:
        return ""
    filters = filters.tidy
    documents = set(tables.read("documents", ["document_id"])["document_id"].to_pylist())
    allowed = set(documents)
    if filters.documents:
        allowed &= _existing(filters.documents, documents)
    if filters.folders:
        allowed &= _in_folders(filters.folders, documents)
    if filters.formats:
        allowed &= _of_formats(filters.formats, documents, tables)
    if filters.concepts:
        wanted = [" ".join(name.casefold().split()) for name in filters.concepts]
        allowed &= _named("concept", wanted, tables, "concepts", "name", "`seedbank show concepts` lists them.")
    if filters.clusters:
        remedy = "`seedbank show clusters` lists them."
        allowed &= _named("cluster", filters.clusters, tables, "document_clusters", "cluster_id", remedy)
    for condition in filters.where:
        allowed &= documents_where(condition, tables)
    if filters.since is not None:
        allowed &= _modified_since(filters.since, modified_at)
    return _among(allowed, documents)


def _existing(names: Sequence[str], documents: Set[str]) -> set[str]:
    for name in names:
        if name not in documents:
            raise FilterError(
                f"There is no document {name!r}.{did_you_mean(name, documents)} Write its path below the corpus."
            )
    return set(names)


def _in_folders(folders: Sequence[str], documents: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for folder in folders:
        prefix = f"{folder.removeprefix('./').strip('/')}/"
        inside = {one for one in documents if one.startswith(prefix) or prefix in ("/", "./")}
        if not inside:
            known = {document.rpartition("/")[0] for document in documents} - {""}
            raise FilterError(
                f"No document is in the folder {folder!r}.{did_you_mean(folder, known)} Write its path below the corpus."
            )
        found |= inside
    return found


def _of_formats(formats: Sequence[str], documents: Iterable[str], tables: LanceTables) -> set[str]:
    rows = tables.read("documents", ["document_id", "format"])
    format_of = dict(zip(rows["document_id"].to_pylist(), rows["format"].to_pylist(), strict=True))
    found: set[str] = set()
    for given in formats:
        name = given.casefold().removeprefix(".")
        own = {one for one in documents if format_of.get(one) == name or one.casefold().endswith(f".{name}")}
        if not own and f".{name}" not in SUFFIXES and name not in SUFFIXES.values():
            known = {*SUFFIXES.values(), *(suffix.removeprefix(".") for suffix in SUFFIXES)}
            raise FilterError(f"There is no format {given!r}.{did_you_mean(name, known)}")
        found |= own
    return found


def _named(what: str, names: Sequence[str], tables: LanceTables, table: str, column: str, remedy: str) -> set[str]:
    """The documents of the rows that have one of these names in a column. Raises ConfigurationError for an unknown name."""
    opened = tables.checked(table)
    with reading(table, tables.folder(table)):
        rows = opened.search().where(f"{column} IN ({_quoted(names)})").select([column, "document_id"]).to_arrow()
    for name in sorted(set(names) - set(rows[column].to_pylist())):
        known = set(tables.read(table, [column])[column].to_pylist()) - {None}
        raise FilterError(f"There is no {what} {name!r}.{did_you_mean(name, known)} {remedy}")
    return set(rows["document_id"].to_pylist())


def _modified_since(since: dt.date, modified_at: ModifiedAt | None) -> set[str]:
    if modified_at is None:
        raise FilterError("The times of the files are not known here, so `since` cannot be used.")
    begin = dt.datetime.combine(since, dt.time.min).timestamp()
    return {document for document, at in modified_at().items() if at >= begin}


def _among(allowed: set[str], documents: set[str]) -> str:
    """The condition for these of all documents."""
    if allowed >= documents:
        return ""
    return f"document_id IN ({_quoted(sorted(allowed))})" if allowed else "false"


def _quoted(names: Iterable[str]) -> str:
    return ", ".join("'" + name.replace("'", "''") + "'" for name in names)
