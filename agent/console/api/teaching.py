"""What a phrase or an example added to the procedures would change, before it is published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from agent.builder.jobs import Told
from agent.console.api.operation import ApiOperation, Asked
from agent.console.api.publications import job_begun
from agent.console.builder_sources import SourceRef, source_files
from agent.console.context import context_of
from agent.console.recent_records import recent_records
from agent.console.rights import Right
from agent.console.routing import person_of

MOST_SENTENCES = 300
_Sentence = Annotated[str, StringConstraints(min_length=2, max_length=300, strip_whitespace=True)]


class TeachingOrder(BaseModel):
    """What is added to what."""

    model_config = ConfigDict(extra="forbid")
    source: SourceRef = SourceRef()
    meaning: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_:-]{1,100}$")]
    """A procedure, ``topic:ID``, ``promotion:ID`` or ``not_for_us:NAME``."""
    examples: Annotated[tuple[_Sentence, ...], Field(max_length=50)] = ()
    phrases: Annotated[tuple[_Sentence, ...], Field(max_length=50)] = ()
    days: Annotated[int, Field(ge=1, le=366)] = 30
    """How far back what was not understood is looked at."""

    @model_validator(mode="after")
    def _something(self) -> TeachingOrder:
        if not self.examples and not self.phrases:
            raise ValueError("nothing is added: name examples or phrases")
        return self


async def _teach(request: web.Request, asked: Asked) -> web.StreamResponse:
    context, person = context_of(request), person_of(request)
    order: TeachingOrder = asked.body
    files = (await source_files(context, order.source)).files
    began = context.now() - timedelta(days=order.days)
    records, _ = await recent_records(context, person, {"from": began.date().isoformat()})
    sentences = strange_sentences(records)
    additions = {"meaning": order.meaning, "examples": order.examples, "phrases": order.phrases}

    async def study(told: Told) -> dict[str, Any]:
        return await context.desk.judge.teach(files, additions, sentences, told)

    return job_begun(context.desk.jobs.begin("teaching", person.id, study))


def strange_sentences(records: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return what was said to an open question and not understood, with how often; the most frequent only."""
    counted: Counter[str] = Counter()
    for record in records:
        turns = record.get("turns")
        for turn in turns if isinstance(turns, list) else ():
            if not isinstance(turn, Mapping) or turn.get("secret") or turn.get("result") != "no_match":
                continue
            heard = " ".join(str(turn.get("heard") or "").split())
            if heard and turn.get("decision"):
                counted[heard[:300]] += 1
    return dict(counted.most_common(MOST_SENTENCES))


OPERATIONS = (
    ApiOperation(
        *("POST", "/teach", _teach, Right.MISHEARD, "what an added phrase or example would change"),
        body=TeachingOrder,
        status=202,
        refusals=(404,),
    ),
)
