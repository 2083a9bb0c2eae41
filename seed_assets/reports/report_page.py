"""The report on a knowledge base as one web page.

What belongs here: what its template needs besides the contents. What does not: the contents (knowledge_report), and the policy of
the page (html_form).
"""

from seed_assets.reports.html_form import html_pieces
from seed_assets.reports.knowledge_report import KnowledgeReport
from seed_assets.reports.report_map import HEIGHT, WIDTH, colour_of


def report_page(report: KnowledgeReport) -> str:
    """The page as HTML. Texts of documents in it are escaped."""
    first = report.types[0] if report.types else None
    placed = {member.document for cluster in first.clusters for member in cluster.members} if first else set[str]()
    return "".join(
        html_pieces(
            "report.html",
            f"Knowledge base of {report.name}",
            script="report.js",
            report=report,
            titles={name: one.title for name, one in report.documents.items()},
            others=[name for name in report.documents if name not in placed],
            colour_of=colour_of,
            width=WIDTH,
            height=HEIGHT,
        )
    )
