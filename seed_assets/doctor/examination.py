"""All probes of a home, run together. A new feature that depends on a server or a file adds its probes here."""

from io_managers.plain_text import plain_lines
from seed_assets.doctor import home_probes, published_probes, server_probes, table_probes
from seed_assets.doctor.probe import Finding, run_probes
from seed_assets.session.session import Session


def examine(session: Session, within_seconds: float) -> list[tuple[str, Finding]]:
    """What all probes found, by name. A probe that takes longer than that is a fault."""
    parts = (home_probes, table_probes, published_probes, server_probes)
    probes = [probe for part in parts for probe in part.probes_of(session)]
    found = run_probes(probes, within_seconds)
    for _, finding in found:
        finding.said, finding.remedy = plain_lines(finding.said), plain_lines(finding.remedy)
    return found
