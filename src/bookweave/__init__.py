"""Weave prose and cells into notebooks and tabbed pages.

``book`` says where things are, ``sources`` reads what people write, ``plain`` turns MyST into Markdown that any
notebook shows, ``weave`` crosses prose and cells, ``run`` executes, ``check`` compares, ``site`` draws the pages and
``cli`` is the command. The package knows nothing of the subject of the book.
"""
