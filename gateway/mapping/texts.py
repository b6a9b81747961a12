"""What `make:` does to texts, each function by its name, and how a long text is cut into pieces. Pure."""

from collections.abc import Callable

#: `make:` words of the language
TEXT_FUNCTIONS: dict[str, Callable[[str], str]] = {
    "upper": str.upper,
    "lower": str.lower,
    "trim": str.strip,
    "squeeze": lambda text: " ".join(text.split()),
    "digits": lambda text: "".join(character for character in text if character in "0123456789"),
    "without_leading_zeros": lambda text: text.lstrip("0") or text[-1:],
    "before_colon": lambda text: text.partition(":")[0],
    "after_colon": lambda text: text.partition(":")[2] or text,
    # a package of UN/ECE Recommendation 20 (XCT) as Recommendation 21 has it (CT)
    # a label's SSCC may carry its application identifier: (00) or 00
    "sscc": lambda text: text.replace("(00)", "", 1) if text.startswith("(00)") else text[2:] if len(text) == 20 and text.startswith("00") else text,
    "package_code": lambda text: text[1:] if len(text) == 3 and text.startswith("X") else text,
}


def pieces(text: str, size: int) -> list[str]:
    """The text in pieces of at most `size` characters, cut between words where there are any; its lines start anew."""
    answer = []
    for line in text.splitlines():
        rest = line.strip()
        while len(rest) > size:
            cut = rest.rfind(" ", 0, size + 1)
            cut = cut if cut > size // 2 else size
            answer.append(rest[:cut].rstrip())
            rest = rest[cut:].lstrip()
        if rest:
            answer.append(rest)
    return answer


#: `make:` words that take texts of their own: `{before: "-"}`
TEXT_FUNCTIONS_WITH: dict[str, Callable[..., str]] = {
    "before": lambda text, mark: text.partition(mark)[0],
    "after": lambda text, mark: text.partition(mark)[2] or text,
    "replace": lambda text, old, new: text.replace(old, new),
    "prefix": lambda text, more: text if text.startswith(more) else more + text,
}
#: how many texts each of them takes
ARGUMENTS = {"before": 1, "after": 1, "replace": 2, "prefix": 1}


def text_function(name: str) -> Callable[[str], str]:
    """A function by its name; texts that it takes follow behind zero bytes, as plans keep them."""
    word, *arguments = name.split("\0")
    if not arguments:
        return TEXT_FUNCTIONS[word]
    function = TEXT_FUNCTIONS_WITH[word]
    return lambda text: function(text, *arguments)
