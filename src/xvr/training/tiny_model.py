"""A small Qwen3-VL from nothing: random weights and a tokenizer made of the training texts.

Its files are laid out as those of a real checkpoint, so that everything else loads it as one.

    write_tiny_model(Path("tiny"), texts, TinyModel())
    load_model(Checkpoint.of("tiny"))

The architecture is that of `transformers` (`Qwen3VLForConditionalGeneration`), only narrower.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xvr.errors import UserError

SPECIAL_TOKENS = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
    *("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"),
)
"""Names as in Qwen3-VL's tokenizer, as far as a text with images needs them."""

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% for block in message.content %}"
    "{% if block.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ block.text }}{% endif %}{% endfor %}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""ChatML with images where the message has them; what Qwen3-VL's own template makes of one turn."""


@dataclass(frozen=True, kw_only=True)
class TinyModel:
    """Sizes of a small model."""

    hidden_size: int = 128
    """Width of the language model and of image tokens."""
    layers: int = 4
    """Of the language model."""
    heads: int = 4
    """Attention heads of both towers."""
    vision_hidden_size: int = 128
    """Width of the vision tower."""
    vision_layers: int = 4
    """Of the vision tower."""
    patch_size: int = 8
    """Pixels on a side."""
    merge_size: int = 2
    """So many patches across and down make one image token."""
    widening: int = 4
    """Width of the inner layer of each block, in widths of its tower."""
    rope_theta: float = 1e4
    """Of rotary places; the larger, the more of attention goes by what tokens are, not where."""
    vocabulary: int = 512
    """Tokens, special ones and all bytes included."""
    phrases: bool = False
    """Let tokens run over several words: sentences that come again and again become short."""
    context: int = 4096
    """Most tokens of a question."""
    min_image_pixels: int = 32 * 32
    """Smaller images are enlarged."""
    max_image_pixels: int = 128 * 128
    """Larger images are reduced."""

    def __post_init__(self) -> None:
        """Refuse sizes that no model can have."""
        for name in ("hidden_size", "vision_hidden_size"):
            if getattr(self, name) % (4 * self.heads):
                raise UserError(f"{name} is {getattr(self, name)}: no multiple of 4 x {self.heads}")
        if self.vocabulary < 256 + len(SPECIAL_TOKENS):
            raise UserError(f"vocabulary is {self.vocabulary}: all bytes need a token, so 263")


def write_tiny_model(folder: Path, texts: Iterable[str], sizes: TinyModel, seed: int = 0) -> Path:
    """Write model, tokenizer, processor and chat template; the same arguments give the same bytes.

    Args:
        folder: to write into.
        texts: the tokenizer merges what is frequent in them.
        sizes: of the model.
        seed: of the random weights.
    """
    import torch
    from transformers import Qwen2VLImageProcessorPil, Qwen3VLForConditionalGeneration

    words = train_tokenizer(texts, sizes.vocabulary, phrases=sizes.phrases)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Qwen3VLForConditionalGeneration(_config(words, sizes))
    images = Qwen2VLImageProcessorPil(
        patch_size=sizes.patch_size,
        merge_size=sizes.merge_size,
        temporal_patch_size=1,
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
        size={"shortest_edge": sizes.min_image_pixels, "longest_edge": sizes.max_image_pixels},
    )
    folder.mkdir(parents=True, exist_ok=True)
    model.generation_config.eos_token_id = words.eos_token_id
    model.generation_config.pad_token_id = words.pad_token_id
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    images.save_pretrained(folder)
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE)
    return folder


def train_tokenizer(texts: Iterable[str], vocabulary: int, *, phrases: bool = False) -> Any:
    """Byte pair encoding over bytes, so that any text survives."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    built = Tokenizer(models.BPE())
    built.pre_tokenizer = pre_tokenizers.ByteLevel(  # pyright: ignore
        add_prefix_space=False, use_regex=not phrases
    )
    built.decoder = decoders.ByteLevel()  # pyright: ignore
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=list(SPECIAL_TOKENS),
        show_progress=False,
    )
    built.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=built,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=list(SPECIAL_TOKENS),
    )


def _config(words: Any, sizes: TinyModel) -> Any:
    from transformers import Qwen3VLConfig

    token = words.convert_tokens_to_ids
    head = sizes.hidden_size // sizes.heads
    return Qwen3VLConfig(
        text_config={
            "vocab_size": len(words),
            "hidden_size": sizes.hidden_size,
            "intermediate_size": sizes.widening * sizes.hidden_size,
            "num_hidden_layers": sizes.layers,
            "num_attention_heads": sizes.heads,
            "num_key_value_heads": max(1, sizes.heads // 2),
            "head_dim": head,
            "max_position_embeddings": sizes.context,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": sizes.rope_theta,
                # half of it for time, the rest for rows and columns, as far as it divides
                "mrope_section": [head // 2 - 2 * (head // 8), head // 8, head // 8],
                "mrope_interleaved": True,
            },
            "eos_token_id": token("<|im_end|>"),
            "bos_token_id": token("<|endoftext|>"),
            "pad_token_id": token("<|endoftext|>"),
        },
        vision_config={
            "depth": sizes.vision_layers,
            "hidden_size": sizes.vision_hidden_size,
            "intermediate_size": sizes.widening * sizes.vision_hidden_size,
            "num_heads": sizes.heads,
            "patch_size": sizes.patch_size,
            "spatial_merge_size": sizes.merge_size,
            "temporal_patch_size": 1,
            "out_hidden_size": sizes.hidden_size,
            "num_position_embeddings": 256,
            "deepstack_visual_indexes": [max(0, sizes.vision_layers // 2 - 1)],
        },
        image_token_id=token("<|image_pad|>"),
        video_token_id=token("<|video_pad|>"),
        vision_start_token_id=token("<|vision_start|>"),
        vision_end_token_id=token("<|vision_end|>"),
        tie_word_embeddings=True,
    )
