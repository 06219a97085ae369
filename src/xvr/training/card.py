"""The card of a trained model: what it is, what it was trained on, and how it did."""

from collections.abc import Mapping
from typing import Any

from xvr import __version__


def model_card(manifest: Mapping[str, Any], scores: Mapping[str, float], skipped: int) -> str:
    """`README.md` of a model, with the front matter that the Hugging Face hub reads.

    Args:
        manifest: `run.json` of the run.
        scores: accuracies of the last evaluation, by total and task; may be empty.
        skipped: samples that could not be used.
    """
    recipe = manifest["recipe"]
    base = manifest["model"]["source"]
    how = f"LoRA of rank {recipe['lora_rank']}" if recipe["lora_rank"] else "all trained weights"
    lines = [
        "---",
        f"base_model: {base}",
        "library_name: transformers",
        "pipeline_tag: image-text-to-text",
        "tags: [xvr, multi-view]",
        "---",
        "",
        f"# {base.rstrip('/').split('/')[-1]}, fine-tuned on cross-view questions",
        "",
        f"Trained by xvr {__version__} with the recipe `{recipe['name']}` ({how}): "
        f"{manifest['total_steps']} steps of {recipe['batch_size']} samples, seed "
        f"{manifest['seed']}. {skipped} samples could not be used.",
        "",
        "| data | split | samples | weight | sha256 |",
        "|---|---|---:|---:|---|",
        *(
            f"| {data['name']} | {data['split'] or ''} | {data['samples']} | "
            f"{'' if data['weight'] is None else data['weight']} | `{data['sha256'][:16]}` |"
            for data in manifest["data"]
        ),
        "",
        "| value | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in recipe.items() if name != "name"),
        "",
        *_scores(scores),
        "Versions: " + ", ".join(f"{k} {v}" for k, v in manifest["versions"].items()) + ".",
        "",
        "The licence of the base model holds, and those of the data.",
    ]
    return "\n".join(lines) + "\n"


def _scores(scores: Mapping[str, float]) -> list[str]:
    if not scores:
        return ["It was not evaluated during training.", ""]
    rows = [f"| {name.removeprefix('eval/')} | {value:.1%} |" for name, value in scores.items()]
    return [
        "On the held-out questions of the run (a part of them, see `run.json`):",
        "",
        "| | accuracy |",
        "|---|---:|",
        *rows,
        "",
    ]
