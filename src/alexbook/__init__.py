"""AlexNet in several frameworks side by side: what the chapters of the book import.

Importing this package imports no framework. Choose one: for example, ``from alexbook import torch as d2l``.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("alexbook")
except PackageNotFoundError:  # run from a checkout that was never installed
    __version__ = "0+unknown"
