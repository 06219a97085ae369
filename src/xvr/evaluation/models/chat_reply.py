"""What a chat-completions server replied: an answer, trouble that may pass, or trouble that stays.

The form is OpenAI's (platform.openai.com/docs/api-reference/chat), which vLLM, SGLang, llama.cpp
and others share. Whatever is not clearly an answer is trouble; no error text becomes an answer.
"""

import json
from collections.abc import Mapping
from typing import Any

from xvr.errors import UserError
from xvr.evaluation.model import Answer
from xvr.evaluation.models.pacing import retry_after_s
from xvr.evaluation.models.remote import Trouble, trouble_of_status

OUT_OF_CREDIT = {"insufficient_quota", "billing_hard_limit_reached"}


def read_reply(status: int, headers: Mapping[str, str], content: bytes) -> Answer | Trouble:
    """Reads a whole reply.

    Raises:
        UserError: key, model, address or credit are wrong, so that no item can be answered.
    """
    if status == 200:
        return _read_completion(content)
    message = _message(content)
    if 300 <= status < 400:
        to = headers.get("location", "elsewhere")
        raise UserError(f"the address redirects to {to}; give that one (HTTP {status})")
    if status == 429 and _code(content) in OUT_OF_CREDIT:
        status = 402
    return trouble_of_status(status, message, retry_after_s(headers.get("retry-after")))


def _read_completion(content: bytes) -> Answer | Trouble:
    reply = _json(content)
    try:
        choice = reply["choices"][0]
        message = choice["message"]
        text = _text(message.get("content")) or message.get("refusal") or ""
        reason = choice.get("finish_reason")
        usage = reply.get("usage") or {}
        read, written = usage.get("prompt_tokens"), usage.get("completion_tokens")
    except (KeyError, IndexError, TypeError, AttributeError):
        shown = _message(content)
        return Trouble(kind="unreadable_reply", message=f"no completion: {shown}", passing=True)
    if not isinstance(text, str):
        shown = _message(content)
        return Trouble(kind="unreadable_reply", message=f"no text: {shown}", passing=True)
    if reason == "error":  # how routers tell that a provider broke off
        return Trouble(kind="server_error", message="the answer was broken off", passing=True)
    if not text.strip():
        return _silence(reason)
    return Answer(
        text=text,
        input_tokens=read if isinstance(read, int) else None,
        output_tokens=written if isinstance(written, int) else None,
        details={
            name: value
            for name, value in (
                ("stop_reason", reason),
                ("served_model", reply.get("model")),
                ("fingerprint", reply.get("system_fingerprint")),
            )
            if isinstance(value, str)
        },
    )


def _silence(reason: Any) -> Trouble:
    if reason == "content_filter":
        return Trouble(kind="content_filter", message="the provider's filter held the answer back")
    if reason == "length":
        message = "all tokens went into reasoning; raise --max-new-tokens"
        return Trouble(kind="empty_answer", message=message)
    return Trouble(kind="empty_answer", message=f"no text (stop reason {reason})")


def _text(content: Any) -> Any:
    """The text of a message, which may also come in blocks."""
    if not isinstance(content, list):
        return content
    return "".join(block["text"] for block in content if block.get("type") == "text")


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _error(content: bytes) -> Any:
    reply = _json(content)
    return reply.get("error", reply) if isinstance(reply, dict) else None


def _code(content: bytes) -> str:
    error = _error(content)
    return str(error.get("code") or error.get("type")) if isinstance(error, dict) else ""


def _message(content: bytes) -> str:
    """What the server says, on one line and not too long."""
    error = _error(content)
    if isinstance(error, dict) and isinstance(error.get("message"), str):
        text = error["message"]
    elif isinstance(error, str):
        text = error
    else:
        text = content[:1000].decode("utf-8", "replace")
    text = " ".join(text.split())
    return (text if len(text) <= 300 else f"{text[:300]}...") or "nothing"
