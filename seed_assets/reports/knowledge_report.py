"""The contents of the report on a whole knowledge base.

What belongs here: what is reported. What does not: how it looks (the template report.html), the positions on its maps
(report_map), and single results (document_overview, cluster_overview).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from io_managers.store.account import Account
from resources.wording import dollars
from seed_assets.graph.stage import Units
from seed_assets.planning.plan import Plan
from seed_assets.reports.cluster_overview import ClusterOverview, cluster_overview
from seed_assets.reports.document_overview import DocumentOverview, document_overview
from seed_assets.reports.published_results import RELATIONSHIPS, PublishedResults
from seed_assets.reports.report_map import ReportMap, report_map
from seed_assets.reports.reported_tables import ReportedTable, reported_tables
from seed_assets.reports.result_lists import ListedCategory, list_categories
from seed_assets.session.session import Session
from seed_assets.session.unit_notes import plan_or_reason

if TYPE_CHECKING:
    from seed_assets.reports.entities.entity_graphs import GraphFigure

# Of a corpus of more documents, claims, contexts of concepts and the nearest documents are left out, so that the file does not
# become too large for a browser: a document takes 4.9 KB with them and 2.9 KB without (measured on 1,000 PEPs).
MOST_IN_DETAIL = 1_500


@dataclass(frozen=True, slots=True)
class ReportedType:
    """The clusters of one type, the largest first. outliers: the documents in none of them, sorted."""

    cluster_type: str
    clusters: list[ClusterOverview]
    outliers: list[str]
    map: ReportMap | None


@dataclass(frozen=True, slots=True)
class ReportedFailure:
    """Something that failed. unit: a document or a cluster; "" for a table or an endpoint as a whole."""

    unit: str
    stage: str
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ReportedCost:
    """What one stage asked one model.

    wasted: the requests without a usable answer. spent, saved: in dollars, as text. reused: how many stored results were used
    instead.
    """

    stage: str
    model: str
    requests: int
    wasted: int
    input_tokens: int
    output_tokens: int
    spent: str
    reused: int
    saved_requests: int
    saved: str


@dataclass(frozen=True, slots=True)
class KnowledgeReport:
    """A knowledge base at one moment.

    name: that of the corpus folder. written_at: in UTC, to the minute. documents: by id, sorted. numbers: the number of each
    document in the report, from 1. tables: those of stages that the settings add. notes: sentences about what is not current.
    detailed: whether claims, contexts of concepts and nearest documents are shown. graph: that of the most connected entities;
    None without relationships.
    """

    name: str
    written_at: str
    documents: Mapping[str, DocumentOverview]
    numbers: Mapping[str, int]
    types: list[ReportedType]
    categories: list[ListedCategory]
    tables: list[ReportedTable]
    failures: list[ReportedFailure]
    costs: list[ReportedCost]
    notes: list[str]
    detailed: bool
    graph: "GraphFigure | None"

    @property
    def reviewed(self) -> list[str]:
        """The documents whose summary a person should look at."""
        return [name for name, one in self.documents.items() if one.verdict and one.verdict.needs_review]

    @property
    def warned(self) -> list[str]:
        """The documents that were read with warnings."""
        return [name for name, one in self.documents.items() if one.warnings]


def knowledge_report(session: Session, now: dt.datetime | None = None) -> KnowledgeReport:
    """Read everything that is published, and the plan. now: the moment that the report names; by default the present one."""
    results = PublishedResults(session)
    names = results.documents()
    titles: dict[str, str] = {}
    documents: dict[str, DocumentOverview] = {}
    for name in names:
        # Titles of other documents are looked up when the page is written, since not all of them are known yet.
        if (found := document_overview(results, name, lambda _: "")) is not None:
            documents[name] = found
            titles[name] = found.title
    types = [found for one in results.cluster_types if (found := _reported_type(results, one, titles)) is not None]
    plan, reason = plan_or_reason(session)
    return KnowledgeReport(
        session.settings.corpus.name or str(session.settings.corpus),
        f"{(now or dt.datetime.now(dt.UTC)).astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC",
        documents,
        {name: number for number, name in enumerate(documents, 1)},
        types,
        list_categories(results),
        reported_tables(session, results),
        [*_failures(plan), *_lost(results)],
        [_cost(account) for account in session.store.account.accounts()],
        _not_current(session, plan) if plan else [reason],
        len(documents) <= MOST_IN_DETAIL,
        _graph(results),
    )


def _graph(results: PublishedResults) -> "GraphFigure | None":
    if not results.refs(RELATIONSHIPS):
        return None
    from seed_assets.reports.entities.entity_graphs import report_graph

    return report_graph(results)


def _reported_type(results: PublishedResults, cluster_type: str, titles: Mapping[str, str]) -> ReportedType | None:
    clustering = results.clustering(cluster_type)
    if clustering is None:
        return None
    found = [
        overview
        for cluster in sorted(clustering.clusters, key=lambda one: -len(one.members))
        if (overview := cluster_overview(results, cluster.cluster_id, lambda name: titles.get(name, ""))) is not None
    ]
    outliers = sorted(name for name, place in clustering.placements.items() if not place.cluster_id and name in titles)
    pictures = results.pictures(cluster_type)
    drawn = (
        report_map(pictures.places, clustering, titles, {one.cluster: one.title for one in found}) if pictures else None
    )
    return ReportedType(cluster_type, found, outliers, drawn)


def _failures(plan: Plan | None) -> list[ReportedFailure]:
    found = plan.failures() if plan else []
    return [ReportedFailure(unit, stage, error.reason, error.remedy) for unit, stage, error in found]


def _lost(results: PublishedResults) -> list[ReportedFailure]:
    remedy = "Run `seedbank cache verify`, then `seedbank seed`."
    return [ReportedFailure(unit, stage, reason, remedy) for (stage, unit), reason in results.lost.items()]


def _not_current(session: Session, plan: Plan) -> list[str]:
    """For each kind of units, how many have results that are not current; and the files that were skipped."""
    stages = {name: found for name, found in plan.stages.items() if found.stage.kind == "value"}
    behind: dict[Units, set[str]] = {}
    for found in stages.values():
        units = {unit for unit, state in found.states.items() if state != "current"}
        behind.setdefault(found.stage.units, set()).update(units)
    notes = [
        f"{len(units):,} of the {kind.value.replace('_', ' ')} are not current; the next `seedbank seed` brings them up to date."
        if kind is not Units.CORPUS
        else "Results of the corpus as a whole are not current; the next `seedbank seed` brings them up to date."
        for kind, units in behind.items()
        if units
    ]
    skipped = plan.scan.skipped.sentence()
    return [*notes, *([f"{skipped}."] if skipped else [])]


def _cost(account: Account) -> ReportedCost:
    saved = account.saved
    return ReportedCost(
        account.stage,
        account.model,
        account.requests,
        account.wasted.requests,
        account.input_tokens,
        account.output_tokens,
        dollars(account.usd, account.unpriced),
        saved.results if saved else 0,
        saved.requests if saved else 0,
        dollars(saved.usd, saved.unpriced) if saved else "0.00",
    )
