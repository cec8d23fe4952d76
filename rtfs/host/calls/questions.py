"""Questions that a server asks a person in the middle of a call.

Must not know terminals, providers or protocols. Invariants: an accepted answer fits the question's form; the ledger has
who asked and what became of it, and nothing of what was said; the answer goes to the server that asked and stays part
of that one call, so that a call whose outcome is recorded asks nothing again.
"""

from __future__ import annotations

from rtfs.host.audit.events import QuestionAsked, QuestionSettled
from rtfs.host.redaction import redact
from rtfs.host.run.person import Person
from rtfs.values import HostError, Map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.capabilities.registry import Entry
    from rtfs.capabilities.sessions.questions import Answer, Question
    from rtfs.host.audit.events import Events
    from rtfs.host.run.frame import Frame


class Questions:
    """ask(question): a mapping of the answers (`{}` for the form's own defaults), False for no, None if the question is
    put aside or no person is there, True if it is an address to open and the person is willing; it may be async."""

    __slots__ = ("_person",)

    def __init__(self, ask: Callable[[Question], Any]) -> None:
        self._person = Person(ask)

    async def settle(self, question: Question, entry: Entry, frame: Frame, number: int, events: Events) -> Answer:
        """The answer to a question. number: of the call's decision in the ledger. Raises HostError
        `session/input-required` for an answer that does not fit, or where asking fails."""
        from rtfs.capabilities.sessions.questions import ACCEPT, CANCEL, DECLINE, Answer

        context = frame.context
        question.capability, question.principal, question.run_id = entry.id, context.principal, context.run_id
        events.emit(QuestionAsked(context, number, entry.id, redact(question.server)))
        became = "failed"
        try:
            said = await self._person.answer(question, frame)
            if said is False or said is None:
                became = CANCEL if said is None else DECLINE
                return Answer(became)
            content = question.content({} if said is True and question.url is not None else _given(said))
            became = ACCEPT
            return Answer(ACCEPT, content)
        except HostError:
            raise
        except ValueError as error:
            raise _unusable(question, str(error)) from error
        except Exception as error:
            raise _unusable(question, f"asking failed: {type(error).__name__}") from error
        finally:
            events.emit(QuestionSettled(context, number, entry.id, became))


def _given(said: Any) -> dict[str, Any]:
    """A person's answers, as JSON values by name."""
    if said.__class__ is Map:
        from rtfs.values.convert import to_python

        said = to_python(said)
    if not hasattr(said, "keys"):
        raise ValueError(f"a mapping, False or None was expected, not a {type(said).__name__}")
    return {str(name): said[name] for name in said}


def _unusable(question: Question, why: str) -> HostError:
    return HostError(
        f"the answer to what {question.server} asks cannot be used: {why}",
        code="session/input-required",
        capability=question.capability,
    )


async def ask_for_text(
    questions: Questions | None, entry: Entry, arguments: tuple[Any, ...], frame: Frame, number: int, events: Events
) -> Any:
    """The text that the person answers to `(call "ccos.user.ask" prompt default?)`; the default without an answer."""
    from rtfs.capabilities.providers.arguments import take, text
    from rtfs.capabilities.sessions.questions import ACCEPT, Question

    prompt, default = take(entry.id, arguments, ("prompt", "default"), 1)
    field: dict[str, Any] = {"type": "string", "title": "answer"}
    if default is not None:
        field["default"] = text(entry.id, "default", default)
    if questions is not None:
        schema = {"type": "object", "properties": {"answer": field}, "required": ["answer"]}
        question = Question("the program", text(entry.id, "prompt", prompt), schema)
        answer = await questions.settle(question, entry, frame, number, events)
        if answer.action == ACCEPT and answer.content is not None:
            return answer.content["answer"]
    if default is not None:
        return default
    raise HostError(
        f'there was no answer to "{text(entry.id, "prompt", prompt)}"',
        code="session/input-required",
        capability=entry.id,
        hint="run it at a terminal, give the Runtime an `elicit` function, or the call a default",
    )
