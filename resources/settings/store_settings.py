"""The settings of the store. Settings are read in `config`."""

from resources.settings.sharing_settings import SharingSettings


class StoreSettings(SharingSettings):
    """Where finished work is kept, and with whom it is shared."""
