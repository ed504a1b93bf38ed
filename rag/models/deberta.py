"""DeBERTa-v2 and v3 in less time: of the relative positions that they attend by, only those that a batch has.

The implementation in transformers projects and scores all of them, 512 for a v3, in every layer, which for
a pair of sentences is more work than their words are. What comes out is the same.
"""

from __future__ import annotations

from typing import Any


class RelativePositions:
    """Those of one model, in use; does nothing to a model of another kind."""

    def __init__(self, model: Any) -> None:
        self._encoder = _encoder_of(model)
        self._rows = self._encoder.get_rel_embedding().detach() if self._encoder else None
        self._exact = self._encoder.position_buckets // 2 if self._encoder else 0  # farther apart, they share rows

    def fit(self, longest: int) -> None:
        """Make ready for texts of up to `longest` tokens."""
        if self._rows is None:
            return
        middle = len(self._rows) // 2
        span = longest if longest <= self._exact else middle
        rows = self._rows[middle - span : middle + span]
        self._encoder.get_rel_embedding = lambda: rows
        for layer in self._encoder.layer:
            layer.attention.self.pos_ebd_size = span


def _encoder_of(model: Any) -> Any:
    if getattr(model.config, "model_type", "") != "deberta-v2":
        return None
    encoder = model.base_model.encoder
    return encoder if encoder.relative_attention and encoder.position_buckets > 0 else None
