"""A chat template with the traps of real ones: it brings a system message of its own, and strips what is said."""

END = "<|im_end|>"
_OWN_SYSTEM = {"role": "system", "content": "You are a helpful assistant."}


def render(messages, *, generation=False):
    if not messages or messages[0]["role"] != "system":
        messages = [_OWN_SYSTEM, *messages]
    said = [f"<|im_start|>{message['role']}\n{message['content'].strip()}{END}\n" for message in messages]
    return "".join(said) + ("<|im_start|>assistant\n" if generation else "")


def turns(messages):
    """The chat as (text, is learnt), where what the assistant says is learnt."""
    for end, message in enumerate(messages, start=1):
        before = render(messages[: end - 1], generation=message["role"] == "assistant") if end > 1 else ""
        if message["role"] == "assistant":
            start = len(before)
            yield render(messages[: end - 1], generation=True)[-len("<|im_start|>assistant\n") :], False
            yield render(messages[:end])[start:], True
        else:
            yield render(messages[:end])[len(before) :], False
