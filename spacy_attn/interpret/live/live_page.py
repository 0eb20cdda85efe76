"""The page to type into, made of Gradio's elements. Needs Gradio."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gradio

from ..show.templating import fill_template, visible
from ..subject import Classifier
from .edited_text import EditedText
from .visit import LONGEST_QUERY, STYLES, Visit

# The number that stands for no label: the predicted one, or none to compare with.
_NONE = -1
_NO_EDITS: tuple[str, tuple[int, ...]] = ("", ())
_NO_ROWS: dict[str, Any] = {"headers": ["no.", "token"], "data": []}
_SYSTEM_FONTS = ("ui-sans-serif", "system-ui", "sans-serif")
_SYSTEM_MONO_FONTS = ("ui-monospace", "monospace")
_TOO_LONG = "The text is too long for a link."
# The address of the page holds what is shown, so that it can be linked to and opened again. It
# keeps what belongs to Gradio and to Spaces, say "__theme"; the link does not have that.
_KEEP_IN_ADDRESS = """query => {
    const shown = query.startsWith('?') ? [...new URLSearchParams(query)] : [];
    const before = [...new URLSearchParams(location.search)];
    const others = before.filter(([name]) => name.startsWith('__'));
    const all = String(new URLSearchParams([...shown, ...others]));
    history.replaceState(null, '', location.pathname + (all && '?' + all));
    return shown.length ? location.origin + location.pathname + query : query;
}"""


def make_page(
    classifier: Classifier, examples: Sequence[tuple[str, str]], title: str
) -> gradio.Blocks:
    """Make the page.

    Args:
        classifier: What classifies the texts.
        examples: Texts to begin with, each with its gold label, or "".
        title: Of the page.

    Raises:
        ValueError: If the component has not been initialized.
    """
    EditedText.explain(classifier, "")  # says at once if it cannot
    return _Page(classifier, list(examples), title).blocks


def launch(
    page: gradio.Blocks,
    *,
    host: str,
    port: int | None,
    in_browser: bool = False,
) -> str:
    """Serve a page, in threads of its own.

    Args:
        host: The address to listen at.
        port: The port to listen at; by default the first free one from 7860 on.
        in_browser: Whether to open the page in a browser.

    Returns:
        Its address.
    """
    # The fonts that come with the theme are asked for on the network.
    theme = gradio.themes.Default(font=_SYSTEM_FONTS, font_mono=_SYSTEM_MONO_FONTS)
    _, address, _ = page.launch(
        server_name=host,
        server_port=port,
        inbrowser=in_browser,
        prevent_thread_lock=True,
        theme=theme,
        css=fill_template("live.css"),
        share=False,
        ssr_mode=False,
        footer_links=[],
        run_history=False,
        show_error=True,
        quiet=True,
    )
    return str(address)


class _Page:
    """The elements of the page, and what happens when a visitor uses them."""

    def __init__(self, classifier: Classifier, examples: list[tuple[str, str]], title: str) -> None:
        self.classifier, self.examples = classifier, examples
        self.labels = classifier.labels
        with gradio.Blocks(analytics_enabled=False, title=title) as self.blocks:
            heading = fill_template("heading.html.jinja", title=title)
            gradio.HTML(heading, apply_default_css=False)
            with gradio.Row():
                with gradio.Column(scale=3, min_width=320):
                    self._make_text()
                with gradio.Column(scale=2, min_width=300):
                    self._make_choices()
            self.table = gradio.Dataframe(
                label="Tokens", headers=_NO_ROWS["headers"], interactive=False, max_height=420
            )
            if examples:
                self._make_examples()
            self._connect()

    def _make_text(self) -> None:
        writing = self.classifier.nlp.vocab.writing_system.get("direction")
        self.text = gradio.Textbox(
            label="Text",
            placeholder="Type a text, or paste one.",
            lines=4,
            max_lines=12,
            autofocus=True,
            rtl=writing == "rtl",
        )
        self.picture = gradio.HTML(
            html_template='<div class="sa-host"></div>',
            js_on_load=fill_template("live.js"),
            apply_default_css=False,
            elem_id="picture",
        )

    def _make_choices(self) -> None:
        self.scores = gradio.HTML(apply_default_css=False, elem_id="scores")
        self.back = gradio.Button("Put all tokens back", visible=False, size="sm")
        styles = [(style.capitalize(), style) for style in STYLES]
        self.style = gradio.Radio(styles, value=STYLES[0], label="Shade tokens by")
        labels = [(visible(label), i) for i, label in enumerate(self.labels)]
        predicted, nothing = ("the predicted label", _NONE), ("no other label", _NONE)
        self.label = gradio.Dropdown([predicted, *labels], value=_NONE, label="For")
        self.other = gradio.Dropdown([nothing, *labels], value=_NONE, label="Rather than")
        self.link = gradio.Textbox(
            label="Link to what is shown", buttons=["copy"], interactive=False, elem_id="link"
        )
        self.query = gradio.Textbox(visible=False)
        self.edits = gradio.State(_NO_EDITS)

    def _make_examples(self) -> None:
        cell = {"visible": False}
        dataset = gradio.Dataset(
            label="Examples",
            components=[gradio.Textbox(**cell), gradio.Textbox(**cell)],
            headers=["Text", "Gold label"],
            samples=[[visible(text), visible(gold)] for text, gold in self.examples],
            samples_per_page=6,
            type="index",
            elem_classes="sa-examples",
        )
        dataset.click(
            lambda i: self.examples[i][0],
            dataset,
            self.text,
            show_progress="hidden",
            api_visibility="private",
        )

    def _connect(self) -> None:
        """Say what happens when something is typed, chosen or clicked on."""
        chosen = [self.text, self.style, self.label, self.other, self.edits]
        shown = [self.picture, self.scores, self.table, self.back, self.query, self.edits]
        quietly = {"show_progress": "hidden", "api_visibility": "private"}
        # Predictions for all visitors stand in one line: a pipeline serves one at a time.
        line = {**quietly, "concurrency_id": "pipeline", "concurrency_limit": 1}
        # While one is made, others are typed: only the last of them counts.
        changes = [each.change for each in (self.text, self.style, self.label, self.other)]
        gradio.on(changes, self.show, chosen, shown, trigger_mode="always_last", **line)
        self.picture.click(self.toggle, chosen, shown, trigger_mode="multiple", **line)
        self.back.click(self.put_back, chosen, shown, **line)
        self.query.change(None, self.query, self.link, js=_KEEP_IN_ADDRESS, **quietly)
        self.blocks.load(self.open, None, chosen, **quietly)

    def open(self, request: gradio.Request) -> list[Any]:
        """Choose what the address of the page says."""
        query = dict(request.query_params)
        if "text" not in query and self.examples:
            query["text"] = self.examples[0][0]
        visit = Visit.from_query(query, self.labels)
        numbers = [
            _NONE if label is None else self.labels.index(label)
            for label in (visit.label, visit.other)
        ]
        # What the address does not say stays as it is: something may have been typed already.
        pairs = zip((visit.text, visit.style, *numbers), ("", STYLES[0], _NONE, _NONE), strict=True)
        wanted = [gradio.skip() if value == initial else value for value, initial in pairs]
        return [*wanted, (visit.text, visit.left_out)]

    def show(
        self, text: str, style: str, label: int, other: int, edits: tuple[str, tuple[int, ...]]
    ) -> list[Any]:
        """Show a text as it is chosen, without the tokens that are left out of this very text."""
        visit = Visit(
            # Half a character, which no encoding has, can be typed nowhere but sent.
            text=text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
            style=style,
            label=None if label == _NONE else self.labels[label],
            other=None if other == _NONE else self.labels[other],
            left_out=edits[1] if edits[0] == text else (),
        )
        if not visit.text:
            return ["", "", _NO_ROWS, gradio.Button(visible=False), "", _NO_EDITS]
        edited = EditedText.explain(self.classifier, visit.text, visit.left_out)
        note = ""
        try:
            target = visit.target(edited.predicted)
        except ValueError as error:
            target, note = replace(visit, other=None).target(edited.predicted), str(error)
        names, rows = edited.table(target)
        query = visit.to_query()
        return [
            edited.picture(visit.style, target),
            edited.score_bars(note),
            gradio.Dataframe({"headers": names, "data": rows}, datatype=_types(names)),
            gradio.Button(visible=bool(edited.left_out)),
            "?" + query if len(query) <= LONGEST_QUERY else _TOO_LONG,
            (text, edited.left_out),
        ]

    def toggle(
        self,
        text: str,
        style: str,
        label: int,
        other: int,
        edits: tuple[str, tuple[int, ...]],
        event: gradio.EventData,
    ) -> list[Any]:
        """Leave a token out, or put it back."""
        places = set(edits[1] if edits[0] == text else ())
        places ^= {int(event.index)}
        return self.show(text, style, label, other, (text, tuple(sorted(places))))

    def put_back(self, text: str, style: str, label: int, other: int, *_: object) -> list[Any]:
        """Put all tokens back."""
        return self.show(text, style, label, other, _NO_EDITS)


def _types(names: Sequence[str]) -> list[str]:
    """Return the types of a table's columns, by which it is sorted."""
    return ["str" if name == "token" else "number" for name in names]
