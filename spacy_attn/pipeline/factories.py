"""How a component's factory is made: its settings and their defaults are those of the class."""

from collections.abc import Callable, Iterable, Mapping
from inspect import Parameter, Signature
from typing import Any

from spacy.language import Language
from thinc.api import Model

# Called with the pipeline, the name and the settings of a component that is to be made.
Check = Callable[[Language, str, Mapping[str, Any]], None]


def register(
    component: type,
    name: str,
    settings: Iterable[Parameter],
    *,
    model: Mapping[str, Any],
    model_type: Any = Model,
    scorer: str,
    assigns: list[str],
    score_weights: Mapping[str, float | None],
    defaults: Mapping[str, Any] | None = None,
    check: Check | None = None,
) -> Callable[..., Any]:
    """Register a factory that takes the settings of a component, with the component's defaults.

    Args:
        component: Called with the vocabulary, the model, the name and the settings.
        name: What `nlp.add_pipe` is given.
        settings: Parameters of the component, of which those for keywords alone are settings.
        model: The config of the default model.
        model_type: The type of the model, as an annotation.
        scorer: The registered name of the default scorer.
        assigns: What the component sets, as `nlp.analyze_pipes` shows it.
        score_weights: The default weights of its scores.
        defaults: Defaults of this factory that are not those of the class.
        check: Called before a component is made.

    Returns:
        The factory.
    """
    settings = [each for each in settings if each.kind == Parameter.KEYWORD_ONLY]

    def make(nlp: Language, name: str, model: Model, **settings: Any) -> Any:
        if check is not None:
            check(nlp, name, settings)
        return component(nlp.vocab, model, name, **settings)

    make.__name__ = make.__qualname__ = f"make_{name}"
    make.__doc__ = (
        f"""Create the component `{name}`, with the settings of `{component.__name__}`."""
    )
    # spaCy checks a config by these.
    types = {"nlp": Language, "name": str, "model": model_type}
    types.update({each.name: each.annotation for each in settings})
    make.__annotations__ = types
    make.__signature__ = Signature(  # type: ignore[attr-defined]
        [Parameter(name, Parameter.KEYWORD_ONLY, annotation=types[name]) for name in types]
    )
    Language.factory(
        name,
        assigns=assigns,
        default_config={
            "model": model,
            **{each.name: each.default for each in settings},
            **(defaults or {}),
            "scorer": {"@scorers": scorer},
        },
        default_score_weights=dict(score_weights),
        func=make,
    )
    return make
