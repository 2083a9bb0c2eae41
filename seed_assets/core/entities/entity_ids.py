"""The form of the ids of entities over documents. It is apart, since what reads an id needs nothing else of them."""

ENTITY = "entity"
"""The word before the number of an entity: `entity/3f2a9c01b7`."""
