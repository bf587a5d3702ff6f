"""The results of operations that the dialler does beside the shop's (``outbound.*``), as models for flow tests."""

from __future__ import annotations

from typing import Literal

from agent.shop.answer_models import AnswerModel


class OutboundAnswer(AnswerModel):
    """One answer of a survey call."""

    question: str
    value: str = ""
    scale: str = ""


class OutboundAnswerKept(AnswerModel):
    """``outbound.answer``."""

    answer: OutboundAnswer


class Suppressed(AnswerModel):
    """What a number is not called for any more."""

    scope: Literal["all", "surveys"] = "all"


class NumberSuppressed(AnswerModel):
    """``outbound.suppress``."""

    suppressed: Suppressed


class PromisedCallBack(AnswerModel):
    """A call to the number of this call, when somebody of the staff is free."""

    promised: bool = True


class CallBackPromised(AnswerModel):
    """``outbound.call_back``."""

    call_back: PromisedCallBack
