"""The corpus reader `spacy-attn.HFTokens.v1`: tokens, and strings such as lemmas for each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from spacy.language import Language
from spacy.parts_of_speech import IDS
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from ..pipeline.writers.token_attributes import EMPTY, TokenAttribute, Value
from .docbins import has_documents, read_docs
from .errors import DatasetError, MissingValue, RowProblem
from .features import class_names
from .row_texts import check_text
from .rows import Row, Rows, Skipped

# The parts of speech that spaCy knows, "" for none left out.
_POS = sorted(filter(None, IDS))


@dataclass(kw_only=True)
class HFTokens(Rows):
    """Read tokens of a Hugging Face data set, with their lemmas and parts of speech.

    A row is a sentence or a document. Its columns hold lists, one value for each token, as
    `universal-dependencies/universal_dependencies` has them. Or a row is a single word, and its
    columns hold that and its values. The reference of an Example has `lemma_` and `pos_`, where a
    row has them. Its predicted document carries nothing but the tokens, unless `give_pos` is set.

    Args:
        skip_missing: Pass over rows in which a list is null, or has no token. A warning at the end
            of a pass says how many there were. It is for tables only.
        tokens_column: The column of the tokens, or of single words. `.spacy` files have tokens, and
            a reader of them leaves all settings of columns out.
        lemmas_column: The column of the lemmas; None reads none. A lemma that is null or empty is
            missing, and its token has none. `_` is a lemma, except where the part of speech is
            missing as well: CoNLL-U has `_` for both of a contraction whose words follow. Without
            `pos_column`, all are lemmas, and a warning at the end of a pass says how many.
        pos_column: The column of the parts of speech, which are those of Universal Dependencies or
            the ids of classes of these names; None reads none. Null and `_` are missing.
        targets_column: The column of what `attn_transducer` is to write: strings, or lists of
            strings, which are symbols. None reads none. Null is missing, and refused for NORM,
            which every token has.
        target: Where that is put on tokens: NORM, or an attribute of your own such as "_.name". It
            is the `target` of the component.
        give_pos: Whether the predicted document has the annotated parts of speech, too. Set it for
            components that read them, when no component before sets them.
        text_column: The column of the texts, which show where spaces are. Without it, a space
            follows each token, and also in rows whose text does not consist of the tokens. A
            warning at the end of a pass says how many these are.

    Raises:
        DatasetError: If the settings contradict one another. The data set itself is opened at the
            first pass.
    """

    tokens_column: str = "tokens"
    lemmas_column: str | None = "lemmas"
    pos_column: str | None = "upos"
    targets_column: str | None = None
    target: str = "NORM"
    give_pos: bool = False
    text_column: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        settings = (
            "tokens_column",
            "lemmas_column",
            "pos_column",
            "targets_column",
            "text_column",
        )
        named = {name: getattr(self, name) for name in settings}
        for name, column in named.items():
            self.require(column != "", f"'{name}' must name a column")
        self.columns = tuple(column for column in named.values() if column is not None)
        self.require(
            len({*self.columns}) == len(self.columns),
            f"two of {', '.join(map(repr, settings))} name the same column",
        )
        try:
            self._target.check(str(self), "target", ["NORM"])
        except ValueError as error:
            raise DatasetError(str(error)) from None
        # Class ids mean what their file says.
        self.label_columns = (self.pos_column,) if self.pos_column else ()

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Go through the data set once.

        Args:
            nlp: Its vocabulary is that of the documents. Nothing is tokenized.

        Yields:
            An Example for each row, in the order of the data set.

        Raises:
            DatasetError: If the data set cannot be opened, lacks a column, or has no row; or at a
                row that cannot be used.
        """
        if has_documents(self, ("give_pos",)):
            yield from map(self._example, read_docs(self, nlp.vocab))
            return
        n_unaligned = n_underscores = 0

        def convert(row: Row, skipped: Skipped) -> Example:
            nonlocal n_unaligned, n_underscores
            reference = self._make_doc(row, nlp.vocab)
            if self.lemmas_column and not self.pos_column:
                n_underscores += sum(token.lemma_ == EMPTY != token.text for token in reference)
            n_unaligned += self.text_column is not None and reference.has_unknown_spaces
            return self._example(reference)

        yield from self.read_rows(convert)
        if n_underscores:
            self.warn(
                f"{n_underscores} tokens have the lemma '{EMPTY}', which may stand for none, as "
                "that of a contraction in CoNLL-U; name the 'pos_column', which tells, or set "
                "underscore = false in the component"
            )
        if n_unaligned:
            self.warn(
                f"{n_unaligned} rows have no text that consists of their tokens; a space follows "
                "each of these tokens"
            )

    def _make_doc(self, row: Row, vocab: Vocab) -> Doc:
        """Make the annotated document of a row."""
        words = self._words(row)
        lemmas: list[str] | None = None
        pos: list[str] | None = None
        if self.pos_column:
            values = self._values(row, self.pos_column, words)
            pos = [self._pos(value, word) for value, word in zip(values, words, strict=True)]
        if self.lemmas_column:
            values = self._values(row, self.lemmas_column, words)
            lemmas = [self._lemma(value, word) for value, word in zip(values, words, strict=True)]
            if pos:
                lemmas = [
                    lemma if lemma != EMPTY or tag else ""
                    for lemma, tag in zip(lemmas, pos, strict=True)
                ]
        spaces = None
        if self.text_column and row[self.text_column] is not None:
            spaces = find_spaces(
                words, check_text(row[self.text_column], self.text_column, "text_column")
            )
        doc = Doc(vocab, words=words, spaces=spaces, lemmas=lemmas, pos=pos)
        if self.targets_column:
            self._target.install(str(self))
            values = self._values(row, self.targets_column, words)
            for token, value in zip(doc, values, strict=True):
                if value is not None or not self._target.is_extension:
                    self._target.write(token, self._checked_target(value, token.text))
        return doc

    def _example(self, reference: Doc) -> Example:
        """Pair an annotated document with one of the same tokens."""
        tokens = list(reference)
        spaces = [bool(token.whitespace_) for token in tokens]
        predicted = Doc(
            reference.vocab,
            words=[token.text for token in tokens],
            spaces=None if reference.has_unknown_spaces else spaces,
            pos=[token.pos_ for token in tokens] if self.give_pos else None,
        )
        return Example(predicted, reference)

    def _words(self, row: Row) -> list[str]:
        column = self.tokens_column
        words = self._list(row, column)
        if words is not row[column] and len(words[0].split()) > 1:
            raise RowProblem(
                column,
                f"holds the text {words[0]!r:.80} where a list of tokens or a single word is "
                "wanted; name another column in 'tokens_column'",
            )
        for i, word in enumerate(words):
            if not isinstance(word, str) or not word:
                what = "an empty string" if word == "" else f"{word!r:.80}"
                raise RowProblem(
                    column, f"holds {what} where token {i} (counted from 0) is wanted; correct it"
                )
        if self.skip_missing and not words:
            raise MissingValue(column, "has no token")
        return words

    def _values(self, row: Row, column: str, words: Sequence[str]) -> list[Any]:
        """Return the values of a column that has one for each token."""
        values = self._list(row, column)
        if len(values) != len(words):
            raise RowProblem(
                column,
                f"has {len(values)} values for the {len(words)} tokens of column "
                f"'{self.tokens_column}'; give one for each token, null where there is none",
            )
        return values

    def _list(self, row: Row, column: str) -> list[Any]:
        value = row[column]
        if isinstance(row[self.tokens_column], str):
            return [value]  # of the only word
        if value is None:
            raise MissingValue(column, "is null where a list is wanted")
        if not isinstance(value, list):
            raise RowProblem(
                column,
                f"holds {value!r:.80} of type {type(value).__name__} where a list is wanted; name "
                "a column of lists, one value for each token",
            )
        return value

    def _lemma(self, value: Any, word: str) -> str:
        """Return a lemma, which is empty where there is none."""
        if value is not None and not isinstance(value, str):
            raise RowProblem(
                str(self.lemmas_column),
                f"holds {value!r:.80} of type {type(value).__name__} for the token {word!r:.80}, "
                "where a lemma is a string or null",
            )
        return value or ""

    def _pos(self, value: Any, word: str) -> str:
        """Return a part of speech, which is empty where there is none."""
        names, name = self._class_names, value
        if names and isinstance(value, int) and -1 <= value < len(names):
            # -1 stands for no class.
            name = names[value] if value >= 0 else None
        if name is None or name in ("", EMPTY):
            return ""
        if not isinstance(name, str) or name not in IDS:
            raise RowProblem(
                str(self.pos_column),
                f"holds {name!r:.80} for the token {word!r:.80}, which is none of the parts of "
                f"speech {', '.join(_POS)}; correct it, or set pos_column = null to read none",
            )
        return name

    def _checked_target(self, value: Any, word: str) -> Value:
        """Return a target, symbols as a tuple."""
        column = str(self.targets_column)
        if value in (None, "") and not self._target.is_extension:
            # spaCy would give its own norm instead, which is the form in lower case.
            raise MissingValue(
                column,
                f"holds {value!r} for the token {word!r:.80}, and {self.target} has a value "
                "everywhere; give one, or set 'target' to an attribute of your own, such as "
                '"_.name"',
            )
        if isinstance(value, str):
            return value
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise RowProblem(
                column,
                f"holds {value!r:.80} for the token {word!r:.80}, where a target is a string, a "
                "list of strings, or null",
            )
        if not self._target.is_extension:
            raise RowProblem(
                column,
                f"holds the list {value!r:.80} for the token {word!r:.80}, and {self.target} is a "
                "string; set 'target' to an attribute of your own, such as \"_.symbols\"",
            )
        return tuple(value)

    @cached_property
    def _target(self) -> TokenAttribute:
        return TokenAttribute(self.target)

    @cached_property
    def _class_names(self) -> list[str] | None:
        dataset, _ = self.opened
        return class_names((dataset.features or {}).get(self.pos_column))


def find_spaces(words: Sequence[str], text: str) -> list[bool] | None:
    """Find which words of a text a space follows.

    Args:
        words: The words, which may be white space themselves.
        text: The text.

    Returns:
        True or False for each word. Other white space between words counts as one space. None if
        the text has anything else than the words.
    """
    spaces: list[bool] = []
    end = 0
    for word in words:
        start = end
        if not text.startswith(word, start):
            while start < len(text) and text[start].isspace():
                start += 1
        if not text.startswith(word, start):
            return None
        if start > end and spaces:
            spaces[-1] = True
        end = start + len(word)
        spaces.append(text.startswith(" ", end))
        end += spaces[-1]
    return None if text[end:].strip() else spaces
