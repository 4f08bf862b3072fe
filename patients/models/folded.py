"""Texts as searches compare them, kept beside the texts themselves."""

from typing import Any

from django.db import models

from canvas_admin.records.models import BytewiseCharField
from patients.search.folding import WORDS_KEPT, fold


class FoldedField(BytewiseCharField):
    """The folded words of another field, each behind a space; whatever saves writes it."""

    def __init__(self, of: str = "", **kwargs: Any) -> None:
        self.of = of
        usual = {"max_length": WORDS_KEPT, "editable": False, "blank": True}
        super().__init__(**usual | kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        folded = folded_words(getattr(model_instance, self.of))
        setattr(model_instance, self.attname, folded)
        return folded


def folded_words(text: str) -> str:
    """The words of a text, folded, each behind a space, as far as they are kept."""
    return f" {fold(text)}"[:WORDS_KEPT]
