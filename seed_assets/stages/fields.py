"""The stage `fields`: what a document's file says of it in so many fields."""

from seed_assets.core.document_fields import DocumentFields, read_fields
from seed_assets.stage import Source, value_stage


def _told(found: DocumentFields) -> str:
    return "; ".join([*(f"{name}: {', '.join(values)}" for name, values in found.fields.items()), *found.problems])


@value_stage(version="1", preview=_told)
async def fields(source: Source) -> DocumentFields:
    """One partition: the fields of one document's front matter, by which documents can be clustered.

    Made again when the file changes. What cannot be read of it is named, and leaves the document without that field.
    """
    return read_fields(source.data, source.format)
