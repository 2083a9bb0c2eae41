"""The stage `fields`: the fields in a document's file, such as its front matter."""

from seed_assets.core.reading.document_fields import DocumentFields
from seed_assets.core.text.text_work import TextWork
from seed_assets.graph.stage import Source, value_stage


def _preview(found: DocumentFields) -> str:
    return "; ".join([*(f"{name}: {', '.join(values)}" for name, values in found.fields.items()), *found.problems])


@value_stage(
    version="2",
    changes={"2": "Fields in TOML, JSON, mails, Org and AsciiDoc, and with quoted names, are read."},
    preview=_preview,
)
async def fields(source: Source, *, work: TextWork) -> DocumentFields:
    """One partition: the fields in one document's file, by which documents can be clustered.

    They are read again when the file changes. A field that cannot be read is reported, and the document does not have it.
    """
    return await work.run("fields", source.data, source.format)
