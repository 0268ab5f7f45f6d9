"""Which steelyard this is; below everything else, so that whoever writes it down need not import the whole."""

__version__ = "0.1.0.dev0"
