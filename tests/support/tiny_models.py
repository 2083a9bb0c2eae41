"""Folders with sentence-transformers models of a few kilobytes: random weights, a tokenizer of words; the encoder also as ONNX.

What belongs here: making them. What does not: assertions. The ONNX graph is written from the papers' formulas, operator by
operator, so it is a reference for the encoder in numpy.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper, save
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

DIMENSIONS, HEADS, LAYERS, INNER, POSITIONS = 8, 2, 2, 16, 40
WORDS = "[PAD] [UNK] [CLS] [SEP] query passage : of the note seen before noon and written down with care bread rails reefs fish"
VOCABULARY = {word: number for number, word in enumerate(WORDS.split())}
BERT: Mapping[str, Any] = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "hidden_size": DIMENSIONS,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": POSITIONS,
    "num_attention_heads": HEADS,
    "num_hidden_layers": LAYERS,
    "pad_token_id": 0,
    "position_embedding_type": "absolute",
}
# The opset of LayerNormalization, and a version of the format that all supported releases of onnxruntime read.
_OPSET, _IR_VERSION = 17, 9


def write_model(
    folder: Path,
    *,
    weights: str = "model.safetensors",
    seed: int = 0,
    pooling: str = "mean",
    prompts: Mapping[str, str] | None = None,
    max_tokens: int = 32,
    config: Mapping[str, Any] | None = None,
) -> Path:
    """Write a model and return its folder. weights: where the weights go, as .safetensors or .onnx. seed: of the weights."""
    config = {**BERT, **(config or {})}
    write_json(folder / "config.json", config)
    write_json(
        folder / "modules.json",
        [
            {"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            {"idx": 2, "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
        ],
    )
    flags = {f"pooling_mode_{mode}": mode.startswith(pooling) for mode in ("cls_token", "mean_tokens", "max_tokens")}
    write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": DIMENSIONS, **flags})
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": max_tokens, "do_lower_case": False})
    write_json(folder / "config_sentence_transformers.json", {"prompts": dict(prompts or {})})
    tokenizer().save(str(folder / "tokenizer.json"))
    path = folder / weights
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".onnx":
        save(onnx_encoder(random_tensors(seed)), path)
    else:
        save_file(random_tensors(seed), path)
    return folder


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def tokenizer() -> Tokenizer:
    """Words in small letters, between [CLS] and [SEP]; its file says to cut and pad at 8 tokens, as files often do."""
    made = Tokenizer(models.WordLevel(VOCABULARY, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = [(word, VOCABULARY[word]) for word in ("[CLS]", "[SEP]")]
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    made.enable_truncation(8)
    made.enable_padding(length=8)
    return made


def random_tensors(seed: int) -> dict[str, NDArray[np.float32]]:
    """Tensors with the names of BERT's, at random; large enough that attention is far from uniform."""
    chance = np.random.default_rng(seed)

    def some(*shape: int) -> NDArray[np.float32]:
        return chance.normal(0, 0.7, shape).astype(np.float32)

    found = {
        "embeddings.word_embeddings.weight": some(len(VOCABULARY), DIMENSIONS),
        "embeddings.position_embeddings.weight": some(POSITIONS, DIMENSIONS),
        "embeddings.token_type_embeddings.weight": some(2, DIMENSIONS),
    }
    dense: dict[str, tuple[int, int]] = {}
    norms = ["embeddings.LayerNorm"]
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        dense |= {f"{layer}.attention.self.{part}": (DIMENSIONS, DIMENSIONS) for part in ("query", "key", "value")}
        dense |= {
            f"{layer}.attention.output.dense": (DIMENSIONS, DIMENSIONS),
            f"{layer}.intermediate.dense": (INNER, DIMENSIONS),
            f"{layer}.output.dense": (DIMENSIONS, INNER),
        }
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
    for name, shape in dense.items():
        found |= {f"{name}.weight": some(*shape), f"{name}.bias": some(shape[0])}
    for name in norms:
        found |= {f"{name}.weight": 1 + some(DIMENSIONS), f"{name}.bias": some(DIMENSIONS)}
    return found


class _Graph:
    """Collects nodes; each is named by its number."""

    def __init__(self, tensors: Mapping[str, NDArray[np.float32]]) -> None:
        self.nodes: list[Any] = []
        self.constants = [numpy_helper.from_array(tensor, name) for name, tensor in tensors.items()]

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def constant(self, value: Any, kind: type[np.generic] = np.float32) -> str:
        """Add a constant and return its name."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value, kind), name))
        return name

    def dense(self, x: str, name: str) -> str:
        """A linear map."""
        turned = self.add("Transpose", f"{name}.weight", perm=[1, 0])
        return self.add("Add", self.add("MatMul", x, turned), f"{name}.bias")

    def norm(self, x: str, name: str) -> str:
        """A layer normalization."""
        return self.add("LayerNormalization", x, f"{name}.weight", f"{name}.bias", epsilon=BERT["layer_norm_eps"])

    def heads(self, x: str) -> str:
        """(1, tokens, dimensions) as (1, heads, tokens, dimensions of a head)."""
        shape = self.constant([0, 0, HEADS, DIMENSIONS // HEADS], np.int64)
        return self.add("Transpose", self.add("Reshape", x, shape), perm=[0, 2, 1, 3])


def onnx_encoder(tensors: Mapping[str, NDArray[np.float32]]) -> Any:
    """BERT as an ONNX graph, with the inputs and the output that exports have."""
    graph = _Graph(tensors)
    length = graph.add("Gather", graph.add("Shape", "input_ids"), graph.constant(1, np.int64))
    places = graph.add("Range", graph.constant(0, np.int64), length, graph.constant(1, np.int64))
    x = graph.add("Gather", "embeddings.word_embeddings.weight", "input_ids")
    x = graph.add("Add", x, graph.add("Gather", "embeddings.position_embeddings.weight", places))
    x = graph.add("Add", x, graph.add("Gather", "embeddings.token_type_embeddings.weight", "token_type_ids"))
    x = graph.norm(x, "embeddings.LayerNorm")
    # Tokens that are masked get no attention.
    shown = graph.add("Cast", "attention_mask", to=TensorProto.FLOAT)
    shown = graph.add("Unsqueeze", shown, graph.constant([1, 2], np.int64))
    hidden = graph.add("Mul", graph.add("Sub", graph.constant(1.0), shown), graph.constant(-1e9))
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        query, key, value = (
            graph.heads(graph.dense(x, f"{layer}.attention.self.{part}")) for part in ("query", "key", "value")
        )
        products = graph.add("MatMul", query, graph.add("Transpose", key, perm=[0, 1, 3, 2]))
        scaled = graph.add("Div", products, graph.constant((DIMENSIONS / HEADS) ** 0.5))
        weights = graph.add("Softmax", graph.add("Add", scaled, hidden), axis=-1)
        attended = graph.add("Transpose", graph.add("MatMul", weights, value), perm=[0, 2, 1, 3])
        attended = graph.add("Reshape", attended, graph.constant([0, 0, DIMENSIONS], np.int64))
        attended = graph.dense(attended, f"{layer}.attention.output.dense")
        x = graph.norm(graph.add("Add", x, attended), f"{layer}.attention.output.LayerNorm")
        inner = graph.dense(x, f"{layer}.intermediate.dense")
        error = graph.add("Erf", graph.add("Div", inner, graph.constant(2**0.5)))
        half = graph.add("Mul", inner, graph.constant(0.5))
        inner = graph.add("Mul", half, graph.add("Add", error, graph.constant(1.0)))
        outer = graph.dense(inner, f"{layer}.output.dense")
        x = graph.norm(graph.add("Add", x, outer), f"{layer}.output.LayerNorm")
    graph.nodes.append(helper.make_node("Identity", [x], ["last_hidden_state"]))
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "tokens", DIMENSIONS])
    made = helper.make_graph(graph.nodes, "encoder", inputs, [output], graph.constants)
    return helper.make_model(
        made, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION, producer_name="tests"
    )
