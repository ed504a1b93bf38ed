"""A run of the evaluation that the page makes: started, watched, stopped, resumed; one at a time.

It runs in a thread of the server, whoever looks on, with the models of the page, and waits between its
questions while somebody asks. Its folder holds what it was made of, so that it can go on after a stop or
a crash; that no question is asked twice is the doing of `eval.run`.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace

from eval import harness
from eval.run import manifest_of, read_manifest, read_records, writing
from eval.systems import Pipeline
from rag.errors import BadInputError, FootnoteError
from rag.pipeline import Footnote
from ui.web.models import Loading
from ui.web.people import People
from ui.web.plans import Plan

RUNNING, STOPPING, STOPPED, FAILED, DONE = "running", "stopping", "stopped", "failed", "done"


class _StopError(Exception):
    """Not a FootnoteError: a run would note that as the answer to a question."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the run is; `left_s` is None while nothing can be said of it."""

    name: str
    state: str
    stage: str = "loading the models"
    done: int = 0
    total: int = 0
    per_minute: float | None = None
    left_s: float | None = None
    waits: bool = False  # for people who ask
    error: str = ""

    @property
    def is_under_way(self) -> bool:
        """Whether there is something to watch."""
        return self.state in {RUNNING, STOPPING}


class Job:
    """The run under way, or the last one."""

    def __init__(self, footnote: Footnote, loading: Loading, people: People) -> None:
        self._footnote, self._loading, self._people = footnote, loading, people
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._standing: Standing | None = None
        self._clock = _Clock()

    @property
    def standing(self) -> Standing | None:
        """How far it is; None before the first."""
        return self._standing

    @property
    def asks_now(self) -> bool:
        """Whether a question of the run is in work, for which the generator writes."""
        now = self._standing
        return now is not None and now.is_under_way and not now.waits and now.stage.startswith(("asking", "control"))

    def assert_free(self) -> None:
        """Raise BadInputError where a run is under way."""
        if self._standing and self._standing.is_under_way:
            raise BadInputError(f"{self._standing.name} is under way; one run at a time: wait for it, or stop it")

    def start(self, plan: Plan) -> None:
        """Begin or go on with a run; returns at once. Raises BadInputError where one is under way or cannot go on."""
        with self._lock:
            self.assert_free()
            _assert_unchanged(self._footnote, plan)
            self._stop.clear()
            self._standing = Standing(plan.name, RUNNING)
            self._thread = threading.Thread(target=self._work, args=(plan,), name="evaluation", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop after the question in work, which is kept."""
        with self._lock:
            if self._standing and self._standing.is_under_way:
                self._stop.set()
                self._standing = replace(self._standing, state=STOPPING)

    def wait(self, seconds: float) -> None:
        """Wait for its end, at most so long."""
        if self._thread:
            self._thread.join(seconds)

    def _work(self, plan: Plan) -> None:
        try:
            while not self._loading.wait(0.2):
                self._go_on()
            with writing(plan.folder):
                self._evaluate(plan)
            self._end(DONE)
        except _StopError:
            self._end(STOPPED)
        except FootnoteError as error:
            self._end(FAILED, str(error))
        except Exception:
            logging.getLogger(__name__).exception("the run %s broke off", plan.name)
            self._end(FAILED, "Something went wrong inside Footnote; the terminal says what.")

    def _evaluate(self, plan: Plan) -> None:
        before = len(read_records(plan.folder))
        self._clock = _Clock()
        self._say("asking", before, len(plan.questions))
        harness.evaluate(
            self._footnote,
            plan.questions,
            plan.folder,
            faithful=plan.claims,
            with_controls=plan.is_full,
            with_slow_detectors=False,  # they would keep the generator from people for minutes
            say=self._say,
        )

    def _say(self, stage: str, done: int, total: int) -> None:
        """Called by the harness between questions and between claims: the place to stop, and to let people go first."""
        per_minute, left_s = self._clock.seen(stage, done, total)
        told = {"stage": stage, "done": done, "total": total, "per_minute": per_minute, "left_s": left_s}
        self._tell(**told, waits=self._people.are_asking)
        self._people.wait_for_nobody(self._stop.is_set)
        self._tell(waits=False)
        self._go_on()

    def _go_on(self) -> None:
        if self._stop.is_set():
            raise _StopError

    def _tell(self, **changes: object) -> None:
        with self._lock:
            assert self._standing
            self._standing = replace(self._standing, **changes)  # type: ignore[arg-type]

    def _end(self, state: str, error: str = "") -> None:
        self._tell(state=state, error=error, waits=False)


class _Clock:
    """Questions a minute since the stage began, without those that were answered before."""

    def __init__(self) -> None:
        self._stage, self._from, self._began = "", 0, 0.0

    def seen(self, stage: str, done: int, total: int) -> tuple[float | None, float | None]:
        """The rate and the seconds left of the stage; None for both until a question has been answered."""
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._from, self._began = stage, done, now
        answered, seconds = done - self._from, now - self._began
        if answered <= 0 or seconds <= 0:
            return None, None
        return 60 * answered / seconds, (total - done) * seconds / answered


def _assert_unchanged(footnote: Footnote, plan: Plan) -> None:
    """A run that has begun goes on only as what it was: other papers or models would be another run."""
    if not plan.has_begun:
        return
    manifest = manifest_of(plan.questions, Pipeline(footnote), harness.settings_of(footnote))
    if read_manifest(plan.folder) != manifest:
        raise BadInputError(
            f"the papers or the settings have changed since {plan.name} began, so it cannot go on; start a new run"
        )
