"""The error of a filter that cannot be applied. Filters are in filters and field_filters."""

from resources.errors import ConfigurationError


class FilterError(ConfigurationError):
    """A filter names what is not there."""
