"""Attributes that several components of a pipeline would use."""

import warnings

from spacy.language import Language


def warn_of_shared_attribute(
    nlp: Language, name: str, attention_attr: str, contributions_attr: str | None
) -> None:
    """Say so when two components of a pipeline would overwrite each other's attributes."""
    settings = {"attention_attr": attention_attr, "contributions_attr": contributions_attr}
    for other_name, other in nlp.pipeline:
        taken = {getattr(other, setting, None) for setting in settings}
        for setting, attr in settings.items():
            if attr is not None and attr in taken:
                warnings.warn(
                    f"The components '{other_name}' and '{name}' both use 'doc._.{attr}', where "
                    f"only what the last one says stays. Give one of them another name with its "
                    f"setting '{setting}'.",
                    stacklevel=2,
                )
