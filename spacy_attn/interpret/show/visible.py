"""Text in which nothing is invisible and nothing can disturb what is around it."""

import re

_ARROWS = {"\n": "↵", "\t": "⇥"}
# C0 controls, DEL and C1 controls; line and paragraph separators; and the characters that change
# the direction of all that follows (Unicode Standard Annex 9).
_DISTURBING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SPACE = "␣"


def visible(text: str) -> str:
    """Replace what cannot be seen by marks: line breaks by ↵, tabs by ⇥, and spaces by ␣ where
    there is nothing else."""
    if text.isspace():
        text = re.sub(r"[^\S\n\t\r\v\f\x1c-\x1f\x85\u2028\u2029]", _SPACE, text)
    return _DISTURBING.sub(_mark, text)


def _mark(match: re.Match[str]) -> str:
    character = match.group()
    if character in _ARROWS:
        return _ARROWS[character]
    if ord(character) < 0x20:
        return chr(0x2400 + ord(character))  # Unicode's pictures of these controls
    return f"⟨U+{ord(character):04X}⟩"
