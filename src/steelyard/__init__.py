"""steelyard: how much each mistake should weigh while a network learns, and what that did to the answer."""

__version__ = "0.1.0.dev0"
