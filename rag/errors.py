"""Everything that Footnote raises on purpose.

FootnoteError                  the base: `str(error)` says what, where and what to do
├── SettingsError              an unknown or unusable setting
├── IngestError                nothing could be read from what was given
├── LibraryError               the library cannot be used as it is
│   ├── LibraryMissingError    there is no library in this folder
│   ├── LibraryMismatchError   made with another embedder, chunking or version
│   ├── LibraryDamagedError    the parts of the library disagree
│   └── LibraryBusyError       another process is writing and did not finish in time
├── ModelError                 a model cannot be found, fetched, trusted or run
│   └── ServerError            a server that the user configured does not answer as it should
├── DocumentNotFoundError      no document of this id, source or title
├── BadInputError              a question, claim, filter or batch line that cannot be used
└── EvalError                  questions, claims, runs or gates that the eval harness cannot use

Outside exceptions end at the module that is the home of their library and are re-raised as one of
these with `from`. A rejected record is not an error: ingest reports it and goes on.
"""

from textwrap import shorten


class FootnoteError(Exception):
    """Base of all errors that a user can cause and mend."""


class SettingsError(FootnoteError):
    """A setting is unknown or has an unusable value."""


class IngestError(FootnoteError):
    """A path does not exist, or nothing at all could be read from what was given."""


class LibraryError(FootnoteError):
    """The library folder cannot be used as it is."""


class LibraryMissingError(LibraryError):
    """There is no library in the folder."""


class LibraryMismatchError(LibraryError):
    """The library was made with another embedder, chunking or format version."""


class LibraryDamagedError(LibraryError):
    """The parts of the library disagree, or a file in it cannot be read."""


class LibraryBusyError(LibraryError):
    """Another process holds the write lock and did not give it back in time."""


class ModelError(FootnoteError):
    """A model cannot be found, fetched, trusted or run."""


class ServerError(ModelError):
    """A server that the user configured is unreachable or answers out of protocol."""


class DocumentNotFoundError(FootnoteError):
    """No document has this id, source or title."""


class BadInputError(FootnoteError):
    """A question, claim, filter or batch line cannot be used."""


class EvalError(FootnoteError):
    """A file of questions or claims, a run or a gate cannot be used by the eval harness."""


def told_by(error: BaseException) -> str:
    """What an outside error says, on one line of at most 200 characters; its kind if it says nothing."""
    return shorten(str(error), 200, placeholder=" …") or type(error).__name__
