"""What a folder with a sentence-transformers model says about itself: files, pooling, prompts, lengths.

What belongs here: reading the folder's JSON files, and every error about what is missing or not supported in them. What does not:
the weights (bert_encoder, onnx_encoder), the tokenizer's file (text_tokens), digests (file_digests).

The layout is the one that the library sentence-transformers saves: `modules.json` names the parts, the folder of the transformer
holds the weights, `tokenizer.json` and `config.json`, the folder of the pooling holds another `config.json`. Nothing is guessed
that decides a vector: what is missing or unknown is an error.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from resources.errors import ConfigurationError

SETTING = "embeddings.folder"
Pooling = Literal["mean", "cls", "max"]

# The files of weights that are looked for, in this order, in `onnx/` and then beside config.json. The names are those that
# sentence-transformers and Optimum give to quantized exports; the last are those of full precision.
_ONNX = (
    "model_quantized.onnx",
    "model_int8.onnx",
    "model_uint8.onnx",
    "model_quint8_avx2.onnx",
    "model_qint8_avx512.onnx",
    "model_qint8_avx512_vnni.onnx",
    "model_qint8_arm64.onnx",
    "model.onnx",
)
_SAFETENSORS = "model.safetensors"
_MODULES = ("Transformer", "Pooling", "Normalize")
_POOLINGS: Mapping[str, Pooling] = {"mean": "mean", "mean_tokens": "mean", "cls": "cls", "cls_token": "cls"}
_POOLINGS = {**_POOLINGS, "max": "max", "max_tokens": "max"}
_FLAG = "pooling_mode_"
# The names of the prompt of passages, in the order in which sentence-transformers looks for them.
_PASSAGE_PROMPTS = ("document", "passage", "corpus")
# A tokenizer without a maximum has a number like 1e30 in its place.
_NO_MAXIMUM = 1_000_000
_EXPORT = (
    "Export it where sentence-transformers is installed: "
    'SentenceTransformer(FOLDER, backend="onnx").save_pretrained(NEW_FOLDER)'
)


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """What a folder says. All paths exist."""

    folder: Path
    """The folder that the setting names."""
    weights: Path
    """The file of weights: `.onnx` or `.safetensors`."""
    weights_beside: tuple[Path, ...]
    """The files beside it in which an .onnx file keeps tensors, sorted by name."""
    tokenizer: Path
    """A tokenizer of the library `tokenizers`, as JSON."""
    read: tuple[Path, ...]
    """Every other file that was read, or that would be read if it existed."""
    config: Mapping[str, Any]
    """The transformer's config.json; empty if there is none."""
    pooling: Pooling
    """How the vectors of tokens become one."""
    dimensions: int
    """How many numbers a vector has."""
    max_tokens: int
    """The most tokens of a text, those that the tokenizer adds at its ends included."""
    lower: bool
    """Whether texts are put into lower case first."""
    query_prompt: str
    """What stands before each query."""
    passage_prompt: str
    """What stands before each passage."""


def read_folder(folder: Path, weights: str = "") -> ModelFolder:
    """Read what a folder says about its model. The files of weights are not opened.

    weights: the file of weights, relative to the folder; "" for the first one that is found.
    Raises ConfigurationError, which names the setting, what is wrong and what to do.
    """
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "does not exist"
        raise ConfigurationError(
            f"`{SETTING}` is {folder}, which {found}. Set it to the folder of a sentence-transformers model "
            "(SEEDBANK_EMBEDDINGS__FOLDER); docs/local_models.md says where to get one."
        )
    reader = _Reader(folder)
    places = _module_places(reader)
    transformer = folder / places["Transformer"]
    config = reader.mapping(transformer / "config.json")
    tokenizer = transformer / "tokenizer.json"
    if not tokenizer.is_file():
        raise reader.error(
            tokenizer, "is missing", "Save the model with its fast tokenizer, which is written as tokenizer.json"
        )
    own = reader.mapping(transformer / "sentence_bert_config.json")
    query, passage = _prompts(reader)
    pooling, dimensions = _pooling(
        reader, folder / places["Pooling"] / "config.json", has_prompts=bool(query or passage)
    )
    found = _weights(reader, transformer, weights)
    return ModelFolder(
        folder=folder,
        weights=found,
        weights_beside=_beside(found) if found.suffix == ".onnx" else (),
        tokenizer=tokenizer,
        config=config,
        pooling=pooling,
        dimensions=dimensions,
        max_tokens=_max_tokens(reader, own, reader.mapping(transformer / "tokenizer_config.json"), config),
        lower=bool(own.get("do_lower_case", False)),
        query_prompt=query,
        passage_prompt=passage,
        read=tuple(reader.read),
    )


class _Reader:
    """Reads the JSON files of a folder and words errors about them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.read: list[Path] = []

    def error(self, path: Path, what: str, remedy: str) -> ConfigurationError:
        name = path.relative_to(self.folder).as_posix()
        return ConfigurationError(f"The model in {self.folder} (`{SETTING}`) cannot be used: {name} {what}. {remedy}.")

    def json(self, path: Path) -> Any:
        """The content of a file; None if it is missing."""
        self.read.append(path)
        try:
            return json.loads(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, RecursionError) as error:
            why = getattr(error, "strerror", None) or error
            raise self.error(path, f"cannot be read as JSON ({why})", "Get the file once more") from error

    def mapping(self, path: Path) -> dict[str, Any]:
        """The content of a file that holds a mapping; {} if the file is missing."""
        found = self.json(path)
        if found is not None and not isinstance(found, dict):
            raise self.error(path, "holds no JSON object", "Get the file once more")
        return found or {}


def _module_places(reader: _Reader) -> dict[str, str]:
    """The folder of each module, by the name of its class."""
    path = reader.folder / "modules.json"
    listed = reader.json(path)
    if listed is None:
        raise reader.error(
            path,
            "is missing, so nothing says how the vectors of tokens become one",
            "Use a folder as sentence-transformers saves it, with modules.json and 1_Pooling/config.json",
        )
    places: dict[str, str] = {}
    for module in listed if isinstance(listed, list) else [None]:
        kind = module.get("type") if isinstance(module, dict) else None
        place = module.get("path", "") if isinstance(module, dict) else None
        if not isinstance(kind, str) or not isinstance(place, str):
            raise reader.error(path, "lists no modules", "Get the file once more")
        name = kind.rpartition(".")[2]
        if name not in _MODULES or name in places:
            raise reader.error(
                path,
                f"lists the module {kind}, which is not supported (supported: one each of {', '.join(_MODULES)})",
                "Use another model",
            )
        if Path(place).is_absolute() or ".." in Path(place).parts:
            raise reader.error(path, f"names the folder {place}, which is not inside of the model's", "Correct it")
        places[name] = place
    for needed in ("Transformer", "Pooling"):
        if needed not in places:
            raise reader.error(path, f"lists no module {needed}", "Use another model")
    return places


def _pooling(reader: _Reader, path: Path, *, has_prompts: bool) -> tuple[Pooling, int]:
    """The pooling, and how many numbers a vector has."""
    config = reader.mapping(path)
    named = config.get("pooling_mode")
    names = (
        [named]
        if isinstance(named, str)
        else [name.removeprefix(_FLAG) for name, value in config.items() if name.startswith(_FLAG) and value is True]
    )
    if len(names) != 1 or names[0] not in _POOLINGS:
        found = ", ".join(map(str, names)) or "none"
        raise reader.error(
            path,
            f"says pooling by {found}, and supported is one of mean, cls, max",
            "Use another model" if path.is_file() else "Get the file, which is missing",
        )
    if has_prompts and config.get("include_prompt", True) is not True:
        raise reader.error(
            path, "leaves the tokens of the prompt out (include_prompt), which is not supported", "Use another model"
        )
    dimensions = config.get("word_embedding_dimension")
    if not isinstance(dimensions, int) or dimensions < 1:
        raise reader.error(path, "gives no word_embedding_dimension, the length of the vectors", "Write it there")
    return _POOLINGS[names[0]], dimensions


def _prompts(reader: _Reader) -> tuple[str, str]:
    """The prompts of queries and of passages, each "" if there is none."""
    path = reader.folder / "config_sentence_transformers.json"
    config = reader.mapping(path)
    prompts = config.get("prompts") or {}
    if not isinstance(prompts, dict) or not all(isinstance(text, str) for text in prompts.values()):
        raise reader.error(path, "has `prompts` that are not texts by name", "Correct it")
    default = prompts.get(config.get("default_prompt_name") or "", "")
    passage = next((prompts[name] for name in _PASSAGE_PROMPTS if name in prompts), default)
    return prompts.get("query", default), passage


def _max_tokens(
    reader: _Reader, own: Mapping[str, Any], tokenizer: Mapping[str, Any], config: Mapping[str, Any]
) -> int:
    """The smallest of the maxima that the files give."""
    positions = config.get("max_position_embeddings")
    if isinstance(positions, int):
        positions -= position_offset(config)
    named = own.get("max_seq_length") or tokenizer.get("model_max_length")
    found = [int(most) for most in (named, positions) if isinstance(most, int | float) and 2 < most < _NO_MAXIMUM]
    if not found:
        raise reader.error(
            reader.folder / "sentence_bert_config.json",
            "gives no max_seq_length, and no other file gives the maximum length of a text",
            'Write the file: {"max_seq_length": 256}',
        )
    return min(found)


def position_offset(config: Mapping[str, Any]) -> int:
    """The position of a text's first token: RoBERTa counts from the number after that of its padding token, BERT from 0."""
    if "roberta" not in str(config.get("model_type")) and config.get("model_type") != "camembert":
        return 0
    padding = config.get("pad_token_id", 1)
    return (padding if isinstance(padding, int) else 1) + 1


def _weights(reader: _Reader, transformer: Path, named: str) -> Path:
    if named:
        path = reader.folder / named
        if path.suffix not in (".onnx", ".safetensors") or not path.is_file():
            raise ConfigurationError(
                f"`embeddings.weights` is {named}, and there is no such .onnx or .safetensors file in {reader.folder} "
                f"(`{SETTING}`). Name a file in that folder, or leave the setting empty for the first one that is found."
            )
        return path
    onnx = [place / name for name in _ONNX for place in (transformer / "onnx", transformer)]
    found = next((path for path in (*onnx, transformer / _SAFETENSORS) if path.is_file()), None)
    if found is None:
        raise reader.error(
            transformer / _SAFETENSORS,
            f"is missing, and so is {_ONNX[-1]}, here and in onnx/",
            f"Other files of weights are not read. {_EXPORT}",
        )
    return found


def unsupported(folder: ModelFolder, what: str) -> ConfigurationError:
    """The error for weights that this program cannot run. what: what was found, as in "its model_type is mpnet"."""
    return ConfigurationError(
        f"The model in {folder.folder} (`{SETTING}`) cannot be used: {what}. From .safetensors, only encoders of the families "
        f"BERT and RoBERTa are run; every other needs an .onnx file. {_EXPORT}."
    )


def _beside(weights: Path) -> tuple[Path, ...]:
    """model.onnx_data, model.onnx.data, model.data and the like."""
    listed = sorted(path for path in weights.parent.iterdir() if path.name.startswith(weights.stem))
    return tuple(path for path in listed if "data" in path.name.removeprefix(weights.stem) and path.is_file())
