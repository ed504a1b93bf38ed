"""Training of the small models that ship with Footnote: reader, entailer and answerer.

Each has a module that makes its training data from a folder of labelled sets and papers, and one that
trains it; `footnote train` runs them. Nothing here is needed to ask a question.
"""
