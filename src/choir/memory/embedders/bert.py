"""The forward pass of a BERT encoder (Devlin et al. 2019) in NumPy, one sequence at a time, without padding."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
LAYER_NORM_EPSILON = np.float32(1e-12)


class Bert:
    """Weights in the naming of the published checkpoints; `heads` attention heads."""

    def __init__(self, weights: Mapping[str, Matrix], heads: int) -> None:
        self._weights = {
            name: np.ascontiguousarray(value.T)
            if name.endswith("dense.weight") or ".self." in name
            else value
            for name, value in weights.items()
        }
        self._heads = heads
        self._layers = 1 + max(
            int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer.")
        )

    def hidden_states(self, token_ids: NDArray[np.int64]) -> Matrix:
        """Last hidden state of every token, shape (tokens, width)."""
        weights = self._weights
        states = (
            weights["embeddings.word_embeddings.weight"][token_ids]
            + weights["embeddings.position_embeddings.weight"][: len(token_ids)]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )
        states = self._layer_norm(states, "embeddings.LayerNorm")
        for layer in range(self._layers):
            states = self._encode_layer(states, f"encoder.layer.{layer}")
        return states

    def _encode_layer(self, states: Matrix, layer: str) -> Matrix:
        attended = self._dense(
            self._attend(states, f"{layer}.attention.self"), f"{layer}.attention.output.dense"
        )
        states = self._layer_norm(states + attended, f"{layer}.attention.output.LayerNorm")
        inner = gelu(self._dense(states, f"{layer}.intermediate.dense"))
        return self._layer_norm(
            states + self._dense(inner, f"{layer}.output.dense"), f"{layer}.output.LayerNorm"
        )

    def _attend(self, states: Matrix, name: str) -> Matrix:
        tokens, width = states.shape
        query, key, value = (
            self._dense(states, f"{name}.{part}").reshape(tokens, self._heads, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / np.float32(np.sqrt(width / self._heads))
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        mixed: Matrix = (scores @ value).transpose(1, 0, 2).reshape(tokens, width)
        return mixed

    def _dense(self, states: Matrix, name: str) -> Matrix:
        result: Matrix = states @ self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return result

    def _layer_norm(self, states: Matrix, name: str) -> Matrix:
        centred = states - states.mean(axis=-1, keepdims=True)
        variance = np.mean(centred * centred, axis=-1, keepdims=True)
        scaled: Matrix = centred / np.sqrt(variance + LAYER_NORM_EPSILON)
        return scaled * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def gelu(x: Matrix) -> Matrix:
    """x · Φ(x), Φ the normal distribution function; erf by Abramowitz and Stegun 7.1.26, error below 1.5e-7."""
    magnitude = np.abs(x) * np.float32(np.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * magnitude)
    series = np.float32(1.061405429) * t - np.float32(1.453152027)
    for coefficient in (1.421413741, -0.284496736, 0.254829592):
        series = series * t + np.float32(coefficient)
    erf = np.copysign(1 - series * t * np.exp(-magnitude * magnitude), x)
    result: Matrix = x * (1 + erf) / 2
    return result
