"""The documents of the proof: ten short texts on two shelves, written into a folder, renamed, edited and removed there.

What belongs here: the texts and their files. What does not: what is done with the knowledge base (scenarios).
"""

from pathlib import Path

_SUBJECTS = (
    ("barometers", "tools", "air pressure", "a column of mercury"),
    ("lanterns", "tools", "the harbour at night", "a lamp with a shutter"),
    ("sextants", "tools", "the height of the sun", "two mirrors and a scale"),
    ("looms", "tools", "cloth of two colours", "a shuttle and forty threads"),
    ("presses", "tools", "printed sheets", "a screw of oak"),
    ("vellum", "materials", "old charters", "calfskin and chalk"),
    ("indigo", "materials", "blue ink", "leaves that ferment in vats"),
    ("amber", "materials", "beads and varnish", "the resin of pines"),
    ("linen", "materials", "sails and sheets", "flax that was soaked in a river"),
    ("copper", "materials", "plates and kettles", "ore from two small mines"),
)
_SENTENCES = (
    "The {subject} of the museum were catalogued in the year {year}, when the collection held {count} of them.",
    "Each of the {subject} was used for {purpose}, and the oldest was made from {made}.",
    "A conservator examined {few} of the {subject} and described their condition on a numbered card.",
    "The cards of the {subject} are stored in a drawer of their own, and drawer {drawer} holds those that need repair.",
    "Visitors may look at the {subject} on the first Monday of each month, in groups of at most {group} people.",
    "In the year {later} a storm damaged the roof above the {subject}, and the trustees paid for a new one at once.",
    "Since then the {subject} have been moved to the northern gallery, which is dry and has no windows to the street.",
    "An inventory of the {subject} is printed every {group} years and sent to each library of the county.",
    "The trustees lent {few} of the {subject} to an exhibition, and all of them came back without a scratch.",
    "A second volume about the {subject} is planned, with drawings of every piece and a list of former owners.",
)
RENAMED, EDITED, REMOVED = "vellum.md", "looms.md", "copper.md"
ADDITION = (
    "In spring a descendant of the founder gave the museum three more looms, with all their letters and receipts.\n"
)


def write_documents(folder: Path) -> None:
    """Write the documents into a folder, which is created."""
    folder.mkdir(parents=True)
    for number, (subject, shelf, purpose, made) in enumerate(_SUBJECTS):
        words = {
            "subject": subject,
            "purpose": purpose,
            "made": made,
            "year": 1800 + 7 * number,
            "later": 1900 + 3 * number,
            "count": 40 + 11 * number,
            "few": 3 + number,
            "drawer": 20 + number,
            "group": 4 + number % 5,
        }
        # Each text begins at another sentence, so that no two of them are alike.
        turned = [*_SENTENCES[number:], *_SENTENCES[:number]]
        text = "\n\n".join(sentence.format(**words) for sentence in turned)
        (folder / f"{subject}.md").write_text(f"---\nshelf: {shelf}\n---\n# About {subject}\n\n{text}\n", "utf-8")


def rename(folder: Path) -> None:
    """Give a document another name, with the same content."""
    (folder / RENAMED).rename(folder / f"parchment-{RENAMED}")


def edit(folder: Path) -> None:
    """Add a sentence to a document."""
    with (folder / EDITED).open("a", encoding="utf-8") as file:
        file.write(f"\n{ADDITION}")


def remove(folder: Path) -> None:
    """Delete a document."""
    (folder / REMOVED).unlink()


def body_of(path: Path) -> str:
    """Return the text of a document without its front matter and title."""
    return path.read_text("utf-8").split("\n\n", 1)[1]
